"""A folder by pages."""

from __future__ import annotations

from pathlib import Path

from alo.ui.readers.folders import Entry, folder_page, names_beside


def test_folders_come_first_and_links_never(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/c.txt").write_text("123")
    (tmp_path / "a.txt").write_text("1")
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "other").symlink_to("/etc/passwd")

    page = folder_page(tmp_path, "", 0, 50, "")

    assert page.entries == [Entry("b", None), Entry("a.txt", 1)]
    assert page.total == 2
    assert folder_page(tmp_path, "b", 0, 50, "").entries == [Entry("b/c.txt", 3)]
    assert folder_page(tmp_path, "", 0, 50, "c.t").entries == [Entry("b/c.txt", 3)]
    assert names_beside(tmp_path) == ["a.txt"]
    assert names_beside(tmp_path / "nowhere") == []


def test_pages_are_the_whole_folder(tmp_path: Path) -> None:
    for n in range(25):
        (tmp_path / f"{n:02}").write_text("")

    found = [
        e.path for at in range(0, 25, 10) for e in folder_page(tmp_path, "", at, 10, "").entries
    ]

    assert found == [f"{n:02}" for n in range(25)]
