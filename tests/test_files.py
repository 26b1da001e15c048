from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alo.files import (
    append_line,
    checksum,
    checksum_of,
    claim_temporary,
    empty_folder,
    entries_of,
    is_leftover,
    real_path,
    remove_tree,
    sweep_leftovers,
    temporary_beside,
    write_once,
    write_whole,
)


def test_temporary_files_of_dead_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    script = "import sys, pathlib, alo.files as f; f.claim_temporary(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.json")], check=True)
    assert len(os.listdir(tmp_path)) == 1
    live, file = claim_temporary(tmp_path / "a.json")

    with file:
        sweep_leftovers(tmp_path)

        assert os.listdir(tmp_path) == [live.name]


def test_whoever_sweeps_while_a_file_is_being_written_does_not_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def sweep_first(source: Path, target: Path) -> None:
        sweep_leftovers(tmp_path)  # as another container does, where this process has no number
        replace(source, target)

    monkeypatch.setattr(os, "replace", sweep_first)

    write_whole(tmp_path / "x", b"whole")

    assert (tmp_path / "x").read_bytes() == b"whole"


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_as_a_whole(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "x"
    path.write_text("old")

    write_whole(path, b"new", durable=durable)

    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["x"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        write_whole(path, b"new")

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_temporary_names_are_hidden_unlike_and_known_as_such(tmp_path: Path) -> None:
    first, second = temporary_beside(tmp_path / "x"), temporary_beside(tmp_path / "x")

    assert first != second
    assert first.parent == tmp_path
    assert first.name.startswith(".")
    assert is_leftover(first.name)
    assert not is_leftover("x")


def test_leftovers_go_but_not_what_is_in_use_nor_what_others_left(tmp_path: Path) -> None:
    left, file = claim_temporary(tmp_path / "x")
    file.close()
    used, file = claim_temporary(tmp_path / "x")
    other = temporary_beside(tmp_path / "y")
    other.touch()

    sweep_leftovers(tmp_path, ["x"])

    with file:
        assert not left.exists()
        assert used.exists()
        assert other.exists()


def test_a_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "x").write_bytes(content)

    assert checksum(tmp_path / "x") == checksum_of(content)
    assert len(checksum_of(b"")) == 32


def test_files_links_and_folders_are_removed_and_nothing_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder/deep").mkdir(parents=True)
    (tmp_path / "folder/deep/x").touch()
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    (tmp_path / "file").touch()

    for name in ("folder", "link", "file", "nothing"):
        remove_tree(tmp_path / name)

    assert os.listdir(tmp_path) == ["kept"]


@pytest.mark.parametrize(
    "name", ["", "folder", "folder/file", "link", "link/file", "none/x", "out"]
)
def test_a_real_path_is_as_python_has_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").touch()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "out").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)

    assert real_path(tmp_path / name) == os.path.realpath(tmp_path / name)
    assert real_path(name or ".") == os.path.realpath(name)


def test_an_emptied_folder_stays_itself_and_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    (elsewhere / "in").mkdir(parents=True)
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "file").write_text("")
    kept = folder / "kept"
    (kept / "below").mkdir(parents=True)
    (kept / "file").touch()
    (folder / "link").symlink_to(elsewhere)
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    inodes = folder.stat().st_ino, kept.stat().st_ino

    empty_folder(folder, stays="kept")
    empty_folder(link)
    empty_folder(tmp_path / "not there")

    assert (os.listdir(folder), os.listdir(kept)) == (["kept"], [])
    assert (folder.stat().st_ino, kept.stat().st_ino) == inodes
    assert not link.is_symlink()
    assert os.listdir(elsewhere) == ["in"]


def test_an_error_while_a_folder_is_looked_at_names_the_whole_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def look() -> None:
        with entries_of(str(tmp_path)) as entries:
            for entry in entries:
                os.unlink(tmp_path / "file")
                entry.stat()

    with pytest.raises(FileNotFoundError) as gone:
        look()
    assert gone.value.filename == str(tmp_path / "file")


def test_a_line_is_appended_behind_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"tor")

    append_line(path, b"two")

    assert path.read_bytes() == b"one\ntwo\n"


def test_a_file_that_is_written_once_is_new_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "a"

    write_once(file, b"content", mode=0o444)

    assert file.read_bytes() == b"content"
    assert file.stat().st_mode & 0o222 == 0
    with pytest.raises(FileExistsError):
        write_once(file, b"other")
    assert file.read_bytes() == b"content"


def test_of_a_file_that_cannot_be_written_once_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, sizes = os.write, [3]

    def full(descriptor: int, content: bytes) -> int:
        if not sizes:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[: sizes.pop()])

    monkeypatch.setattr(os, "write", full)

    with pytest.raises(OSError, match="No space left"):
        write_once(tmp_path / "a", b"content")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named_itself_and_not_its_temporary_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "folder").mkdir()

    for path in (tmp_path / "nowhere/file", tmp_path / "folder"):
        with pytest.raises(OSError, match="directory") as reported:
            write_whole(path, b"x")
        assert str(reported.value).endswith(f"directory: '{path}'")
