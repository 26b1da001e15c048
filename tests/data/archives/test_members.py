"""What goes by the name of model.tar.gz and is another archive, or none; and names of all kinds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alo.data.archives.members import ArchiveError, Limits
from alo.data.archives.unpack import unpack_archive

MODEL = {"train/m": b"weights" * 1000, "train/deep/n": b"", "한글": b"1"}
Unpack = Callable[..., int]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


@pytest.fixture
def unpack(tmp_path: Path, target: Path) -> Unpack:
    """Call it with the bytes of a model.tar.gz."""

    def run(content: bytes, limits: Limits = Limits()) -> int:  # noqa: B008 - immutable
        (tmp_path / "model.tar.gz").write_bytes(content)
        return unpack_archive(tmp_path / "model.tar.gz", target, limits)

    return run


def tar_of(files: dict[str, bytes], kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_of(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def zip_with(name: str, content: bytes = b"1", **fields: object) -> bytes:
    """A zip of one member with odd fields."""
    buffer = io.BytesIO()
    info = zipfile.ZipInfo(name, fields.pop("date_time", (1980, 1, 1, 0, 0, 0)))  # type: ignore[arg-type]
    info.create_system = 3
    for field, value in fields.items():
        setattr(info, field, value)
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, content)
    return buffer.getvalue()


def tree_of(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


KINDS = {
    "tar.gz": gzip.compress(tar_of(MODEL)),
    "tar": tar_of(MODEL),
    "tar.bz2": bz2.compress(tar_of(MODEL)),
    "tar.xz": lzma.compress(tar_of(MODEL)),
    "zip": zip_of(MODEL),
    "stored zip": zip_of(MODEL, zipfile.ZIP_STORED),
    "zip of lzma": zip_of(MODEL, zipfile.ZIP_LZMA),
    "gzip of many members": gzip.compress(tar_of(MODEL)[:999]) + gzip.compress(tar_of(MODEL)[999:]),
    "gzip with zeros after it": gzip.compress(tar_of(MODEL)) + bytes(4096),
    "tar with many zeros": tar_of(MODEL) + bytes(100_000),
    "tar of GNU": tar_of(MODEL, tarfile.GNU_FORMAT),
}


@pytest.mark.parametrize("content", KINDS.values(), ids=KINDS)
def test_an_archive_is_what_it_is_whatever_its_name(
    unpack: Unpack, target: Path, content: bytes
) -> None:
    assert unpack(content) == 3
    assert tree_of(target) == MODEL


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_that_is_cut_short_is_damaged(unpack: Unpack, kind: str) -> None:
    content = KINDS[kind].rstrip(b"\0")

    for length in (9, len(content) // 3, len(content) // 2):
        with pytest.raises(ArchiveError, match="cannot be unpacked"):
            unpack(content[:length])


NONE = {
    "two tars in a row": tar_of(MODEL) + tar_of({"more": b"1"}),
    "two tars in gzip": gzip.compress(tar_of(MODEL)) + gzip.compress(tar_of({"more": b"1"})),
    "something after the end": gzip.compress(tar_of(MODEL) + b"signature"),
    "something after gzip": gzip.compress(tar_of(MODEL)) + b"signature",
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(100),
    "a page": b"<!DOCTYPE html>" * 99,
    "a pickle": b"\x80\x04" + bytes(1000),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
}


@pytest.mark.parametrize("content", NONE.values(), ids=NONE)
def test_what_is_not_one_archive_is_refused(unpack: Unpack, content: bytes) -> None:
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack(content)


def link(mode: int = stat.S_IFLNK | 0o777) -> dict[str, object]:
    return {"external_attr": mode << 16}


def encrypted() -> bytes:
    content = bytearray(zip_of({"a": b"1"}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= 1
    return bytes(content)


def with_size(size: int) -> bytes:
    """A zip whose directory and header say another size than there is."""
    content = bytearray(zip_of({"a": b"1" * 1000}))
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = content.index(mark) + at
        content[start : start + 4] = struct.pack("<L", size)
    return bytes(content)


BAD_ZIPS = {
    "absolute": (zip_with("/alo-was-here"), "outside of its folder"),
    "climbing": (zip_with("a/../../x"), "outside of its folder"),
    "climbing as on Windows": (zip_with("..\\x", create_system=0), "outside of its folder"),
    "a link out": (zip_with("a", b"../..", **link()), "outside of its folder"),
    "a link to an absolute name": (zip_with("a", b"/etc", **link()), "outside of its folder"),
    "an endless link": (zip_with("a", b"x" * 5000, **link()), "cannot be written"),
    "a device": (zip_with("a", **link(stat.S_IFCHR | 0o666)), "device or pipe"),
    "a pipe": (zip_with("a", **link(stat.S_IFIFO | 0o666)), "device or pipe"),
    "set-uid": (zip_with("a", **link(stat.S_IFREG | 0o4755)), "set-uid"),
    "encrypted": (encrypted(), "'a' is encrypted"),
    "too small a size": (with_size(10), "cannot be unpacked"),
    "too large a size": (with_size(5000), "cannot be unpacked"),
    "a bomb": (with_size(4_000_000_000), "unpacks to more than 1,000,000,000 bytes"),
    "a method of no one": (
        zip_of({"a": b"1"}).replace(
            b"PK\1\2\x14\3\x14\0\0\0\x08\0", b"PK\1\2\x14\3\x14\0\0\0\x63\0"
        ),
        "cannot be unpacked",
    ),
    "a file where a folder is": (zip_of({"x/y": b"1", "x": b"2"}), "another of its members"),
}


@pytest.mark.parametrize(("content", "reported"), BAD_ZIPS.values(), ids=BAD_ZIPS)
def test_a_zip_is_no_safer(
    unpack: Unpack, tmp_path: Path, target: Path, content: bytes, reported: str
) -> None:
    with pytest.raises(ArchiveError, match=reported):
        unpack(content)

    assert sorted(os.listdir(tmp_path)) == ["model.tar.gz", "target"]
    assert not Path("/alo-was-here").exists()


def test_a_zip_of_windows_and_odd_dates_and_links_come_out(unpack: Unpack, target: Path) -> None:
    unpack(zip_with("train\\m", create_system=0))
    unpack(zip_with("a", date_time=(1980, 0, 0, 0, 0, 0)))
    unpack(zip_with("b", b"a", **link()))
    unpack(zip_with("c", **link(stat.S_IFREG | 0o755)))

    assert (target / "train/m").read_bytes() == (target / "b").read_bytes() == b"1"
    assert os.readlink(target / "b") == "a"
    assert os.access(target / "c", os.X_OK)


def test_a_zip64_comes_out(unpack: Unpack, target: Path) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open("a", "w", force_zip64=True) as member,
    ):
        member.write(b"1")

    unpack(buffer.getvalue())

    assert tree_of(target) == {"a": b"1"}


def test_the_limit_of_files_holds_for_zips(unpack: Unpack) -> None:
    with pytest.raises(ArchiveError, match="more than 5 files"):
        unpack(zip_of({str(number): b"" for number in range(9)}), Limits(files=5))


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("name", ["\udce9.bin", "a\\b", "C:", "a\nb", "-rf", "x" * 250, " "])
def test_names_come_out_byte_for_byte(unpack: Unpack, target: Path, kind: int, name: str) -> None:
    if kind == tarfile.USTAR_FORMAT and len(name) > 100:
        pytest.skip("too long for it")
    unpack(tar_of({name: b"1"}, kind))

    assert tree_of(target) == {name: b"1"}


@pytest.mark.parametrize("kind", ["gnu", "pax"])
def test_a_file_with_holes_comes_out_whole(
    unpack: Unpack, target: Path, tmp_path: Path, kind: str
) -> None:
    if not shutil.which("tar"):
        pytest.skip("tar is not installed here")
    with open(tmp_path / "holes", "wb") as file:
        file.seek(3_000_000)
        file.write(b"end")
    content = (tmp_path / "holes").read_bytes()
    command = ["tar", "--sparse", f"--format={kind}", "-C", str(tmp_path), "-cf", "-", "holes"]
    packed = subprocess.run(command, check=True, capture_output=True).stdout

    unpack(packed)

    assert tree_of(target) == {"holes": content}


@pytest.mark.parametrize(
    "header", [b"18 GNU.sparse.x=1\n", b"13 size=12 34\n", b"99 path=x\n", b"12 path=a\0b\n"]
)
def test_an_extended_header_that_makes_no_sense_is_damaged(unpack: Unpack, header: bytes) -> None:
    info = tarfile.TarInfo("extended")
    info.type, info.size = tarfile.XHDTYPE, len(header)
    extended = info.tobuf(tarfile.USTAR_FORMAT) + header.ljust(512, b"\0")
    plain = tar_of({"a": b"1"}, tarfile.USTAR_FORMAT)

    with suppress(ArchiveError):  # and no other error
        unpack(extended + plain)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, 9),
    changes=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), min_size=1, max_size=9),
    is_zip=st.booleans(),
)
def test_damage_that_has_the_right_checksum_is_an_error_of_ours_or_none(
    tmp_path_factory: pytest.TempPathFactory,
    at: int,
    changes: list[tuple[int, int]],
    is_zip: bool,
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "target").mkdir()
    files = {"d/a": b"x" * 600, "n" * 150: b"y", "한글": b"z" * 700}
    content = bytearray(zip_of(files) if is_zip else tar_of(files))
    start = min(at * 512, len(content) - 512)
    for place, value in changes:
        content[start + place] = value
    if not is_zip:
        header = content[start : start + 512]
        header[148:156] = b" " * 8
        content[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    (folder / "model.tar.gz").write_bytes(content)

    with suppress(ArchiveError):  # and no other error
        unpack_archive(folder / "model.tar.gz", folder / "target", Limits(10**6, 100))

    assert sorted(os.listdir(folder)) == ["model.tar.gz", "target"]
