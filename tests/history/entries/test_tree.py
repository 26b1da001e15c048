"""Links into and out of history: a copy of a folder holds all of itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alo.history.entries.tree import copy_tree, found_below, put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``project/artifacts`` with a file ``deep/file``, and ``project/outside``."""
    folder = tmp_path / "project/artifacts"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/file").write_text("inside")
    (tmp_path / "project/outside").write_text("outside")
    (tmp_path / "alias").symlink_to("project")
    return folder


# where the link is, what it says ({} is the folder of the project), what a copy of it says
CASES = [
    ("link", "deep/file", "deep/file"),
    ("link", "./deep/../deep/file", "./deep/../deep/file"),
    ("link", ".", "."),
    ("deep/link", "..", ".."),
    ("deep/link", "link", "link"),
    ("link", "no/such", "no/such"),
    ("link", "{}/artifacts/deep/file", "deep/file"),
    ("deep/link", "{}/artifacts/deep/file", "file"),
    ("deep/link", "{}/artifacts", ".."),
    ("deep/link", "{}/../alias/artifacts/deep/file", "file"),
    ("link", "{}/artifacts/no/such", "no/such"),
    ("link", "../artifacts/deep/file", "deep/file"),
    ("link", "{}/outside", "{}/outside"),
    ("link", "../outside", "{}/outside"),
    ("deep/link", "../../no/such", "{}/no/such"),
    ("link", "{}/artifacts_of_another", "{}/artifacts_of_another"),
]


@pytest.mark.parametrize(("name", "text", "expected"), CASES)
def test_a_link_in_a_copy_leads_to_the_copy_or_to_where_it_led_before(
    name: str, text: str, expected: str, folder: Path, tmp_path: Path
) -> None:
    project = folder.parent
    (folder / name).symlink_to(text.format(project))

    copy_tree(folder, tmp_path / "somewhere/else/copy")

    assert os.readlink(tmp_path / "somewhere/else/copy" / name) == expected.format(project)


def test_links_that_were_made_before_the_folder_was_moved_still_lead_into_it(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "link").symlink_to(folder / "deep/file")
    moved = folder.rename(tmp_path / "moved")
    (tmp_path / "copy").mkdir()

    for found in found_below(moved):
        if found.kind == "link":
            put(found, str(tmp_path / "copy" / found.name), folder)

    assert os.readlink(tmp_path / "copy/link") == "deep/file"


def test_a_link_to_a_link_stays_one(folder: Path, tmp_path: Path) -> None:
    (folder / "one").symlink_to("deep/file")
    (folder / "two").symlink_to(folder / "one")

    copy_tree(folder, tmp_path / "copy")

    assert os.readlink(tmp_path / "copy/two") == "one"
    assert (tmp_path / "copy/two").read_text() == "inside"
