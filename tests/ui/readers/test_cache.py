"""What was made of files is found again, until the file is another."""

from __future__ import annotations

import os
from pathlib import Path

from alo.ui.readers.cache import FileCache


def test_a_file_that_has_changed_has_another_place(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache")
    source = tmp_path / "a"
    source.write_text("1")
    first = cache.path(source, "what", ".x")

    assert cache.path(source, "what", ".x") == first
    assert cache.path(source, "other", ".x") != first
    os.utime(source, (1, 1))
    assert cache.path(source, "what", ".x") != first


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = FileCache(tmp_path)
    for at in range(4):
        (tmp_path / f"{at}").write_bytes(b"x" * 10)
        os.utime(tmp_path / f"{at}", (at, at))

    cache.sweep(25)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["2", "3"]
