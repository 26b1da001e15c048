"""The digest of a folder: over what is in it, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.executors.listing import Listing, list_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f/sub/empty").mkdir(parents=True)
    (tmp_path / "f/b.csv").write_text("b")
    (tmp_path / "f/sub/a.csv").write_text("a")
    (tmp_path / "f/link").symlink_to("b.csv")
    return tmp_path / "f"


def test_a_listing_comes_back_from_its_bytes(folder: Path) -> None:
    listing = list_folder(folder)
    assert [each.name for each in listing.items] == [
        "b.csv", "link", "sub", "sub/a.csv", "sub/empty",
    ]  # fmt: skip
    assert Listing.of_content(listing.content) == listing
    assert listing.size == 2


def test_its_files_are_found_by_what_is_in_them(folder: Path, tmp_path: Path) -> None:
    listing = list_folder(folder)

    found = listing.files_by_content(tmp_path / "copy")

    names = {each.content: each.name for each in listing.items}
    assert {names[content]: path for content, path in found.items()} == {
        "b.csv": tmp_path / "copy/b.csv",
        "sub/a.csv": tmp_path / "copy/sub/a.csv",
    }


def test_times_do_not_count(folder: Path) -> None:
    before = list_folder(folder).digest
    os.utime(folder / "b.csv", (1, 1))
    assert list_folder(folder).digest == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "b.csv").write_text("c"),
        lambda folder: (folder / "b.csv").rename(folder / "c.csv"),
        lambda folder: (folder / "b.csv").chmod(0o755),
        lambda folder: (folder / "sub/empty").rmdir(),
        lambda folder: ((folder / "link").unlink(), (folder / "link").symlink_to("sub")),
    ],
)
def test_whatever_is_in_it_counts(folder: Path, change: Callable[[Path], object]) -> None:
    before = list_folder(folder).digest
    change(folder)
    assert list_folder(folder).digest != before


@pytest.mark.parametrize("content", [b"[]", b'{"form": 99}', b"x"])
def test_what_is_no_listing_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Listing.of_content(content)
