"""Folders by their digests."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import ExecutorError
from alo.executors.depot import Depot


def test_a_folder_is_found_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.csv").write_text("1")
    depot = Depot()

    digest = depot.add_folder(tmp_path / "a")

    assert depot.folder(digest) == tmp_path / "a"


def test_what_nobody_has_added_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError, match="no folder with the digest abc"):
        Depot().folder("abc")
    with pytest.raises(ExecutorError, match="cannot be read") as raised:
        Depot().add_folder(tmp_path / "none")
    assert str(tmp_path / "none") in raised.value.where


def test_a_folder_that_is_forgotten_may_be_made_anew_elsewhere(tmp_path: Path) -> None:
    depot = Depot()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text("a")
    digest = depot.add_folder(tmp_path / "one")

    depot.forget(digest)
    depot.forget(digest)

    assert depot.add_folder(tmp_path / "two") == digest
    assert depot.folder(digest) == tmp_path / "two"
