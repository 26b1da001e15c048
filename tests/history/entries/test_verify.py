"""Damage to an entry is found and named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.entries.verify import damage

Keep = Callable[..., Path]


def same_size(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (same_size, "other content"),
        (longer, "bytes instead of"),
        (Path.unlink, "missing"),
        (replaced_by_a_folder, ""),
    ],
)
@pytest.mark.parametrize(
    "name", ["output/a.csv", "experimental_plan.yaml", "log/experimental_history.json"]
)
def test_a_change_to_any_file_is_found(
    keep: Keep, change: Callable[[Path], None], what: str, name: str
) -> None:
    folder = keep(files={"output/a.csv": b"1,2,3"})

    change(folder / name)

    (found,) = damage(folder)
    assert found.name == name
    assert what in found.what


def test_a_changed_link_is_found(keep: Keep, tmp_path: Path) -> None:
    (tmp_path / "artifacts-1").mkdir()
    os.symlink("one", tmp_path / "artifacts-1/link")
    folder = keep()

    (folder / "link").unlink()
    (folder / "link").symlink_to("other")

    assert [each.name for each in damage(folder)] == ["link"]


def test_a_file_that_was_added_is_found(keep: Keep) -> None:
    folder = keep()

    (folder / "models").mkdir()
    (folder / "models/new").touch()

    assert [each.name for each in damage(folder)] == ["models/new"]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b'{"a": {"size": "x"}}', b"\xff"])
def test_a_damaged_list_of_checksums_is_found(keep: Keep, content: bytes) -> None:
    folder = keep()

    (folder / "log/checksums.json").write_bytes(content)

    assert "log/checksums.json" in [each.name for each in damage(folder)]


def test_a_missing_list_of_checksums_is_found(keep: Keep) -> None:
    folder = keep()

    (folder / "log/checksums.json").unlink()

    assert [each.name for each in damage(folder)] == ["log/checksums.json"]
