"""Folders as streams: what comes out is what went in, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import ExecutorError
from alo.executors.listing import list_folder
from alo.executors.node.parcel import Parcel, Unpacking


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "sent"
    (made / "sub/empty").mkdir(parents=True)
    (made / "a").write_bytes(b"a" * 1000)
    (made / "none").touch()
    (made / "sub/run.sh").write_text("x")
    (made / "sub/run.sh").chmod(0o755)
    (made / "z").symlink_to("a")
    return made


def sent(parcel: Parcel, target: Unpacking, count: int) -> None:
    for offset in range(0, parcel.size, count):
        target.take(parcel.piece(offset, count))
    target.finish()


@pytest.mark.parametrize("count", [1, 7, 64, 999, 1_000_000])
def test_a_folder_comes_out_as_it_went_in(folder: Path, tmp_path: Path, count: int) -> None:
    parcel = Parcel.of_folder(folder)
    sent(parcel, Unpacking(tmp_path / "come", parcel.digest), count)
    assert list_folder(tmp_path / "come") == list_folder(folder)
    assert parcel.digest == list_folder(folder).digest


def test_what_is_there_already_is_not_sent(folder: Path, tmp_path: Path) -> None:
    whole = Parcel.of_folder(folder)
    (here,) = [each.content for each in whole.listing.items if each.name == "a"]
    part = Parcel(whole.listing, {"none": folder / "none", "sub/run.sh": folder / "sub/run.sh"})
    assert part.size == whole.size - 1000
    sent(part, Unpacking(tmp_path / "come", here={here: folder / "a"}), 100)
    assert list_folder(tmp_path / "come") == list_folder(folder)


def test_files_of_anywhere_are_one_folder(folder: Path, tmp_path: Path) -> None:
    parcel = Parcel.of_files({"x/y/one": folder / "a", "two": folder / "sub/run.sh"})
    sent(parcel, Unpacking(tmp_path / "come", parcel.digest), 100)
    assert (tmp_path / "come/x/y/one").read_bytes() == b"a" * 1000
    assert list_folder(tmp_path / "come").digest == parcel.digest


def test_a_byte_that_changed_on_the_way_is_noticed(folder: Path, tmp_path: Path) -> None:
    parcel = Parcel.of_folder(folder)
    content = bytearray(parcel.piece(0, parcel.size))
    content[-2] ^= 1
    with pytest.raises(ExecutorError, match=r"came damaged: .* has another checksum"):
        Unpacking(tmp_path / "come", parcel.digest).take(bytes(content))
    with pytest.raises(ExecutorError, match="its listing is another one"):
        Unpacking(tmp_path / "other", "0" * 32).take(parcel.piece(0, parcel.size))


def test_an_end_that_is_missing_is_noticed(folder: Path, tmp_path: Path) -> None:
    parcel = Parcel.of_folder(folder)
    arriving = Unpacking(tmp_path / "come", parcel.digest)
    arriving.take(parcel.piece(0, parcel.size - 1))
    with pytest.raises(ExecutorError, match="its end is missing"):
        arriving.finish()


def test_a_file_that_shrinks_while_it_is_sent_is_named(folder: Path) -> None:
    parcel = Parcel.of_folder(folder)
    (folder / "a").write_bytes(b"a")
    with pytest.raises(ExecutorError, match="a changed while it was sent"):
        parcel.piece(0, parcel.size)


def test_nothing_is_written_outside_of_the_folder(folder: Path, tmp_path: Path) -> None:
    parcel = Parcel.of_files({"../escaped": folder / "a"})
    with pytest.raises(ExecutorError, match="leads out of it"):
        sent(parcel, Unpacking(tmp_path / "come", parcel.digest), 100)
    assert not (tmp_path / "escaped").exists()
