from __future__ import annotations

import errno
import gzip
import io
import os
import tarfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from alo.data.archives import members as archive_members
from alo.data.archives.members import MAX_BYTES, MAX_FILES, ArchiveError, Limits
from alo.data.archives.unpack import unpack_archive


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_files_and_folders_come_out_as_they_went_in(make_tar, target: Path) -> None:
    archive = make_tar().member("train", tarfile.DIRTYPE).file("train/model.pkl", b"weights")
    archive.file("train/run.sh", b"#!", mode=0o755).file("./deep/er/x", mtime=1_000_000_000)

    count = unpack_archive(archive.done(), target)

    assert count == 3
    assert (target / "train/model.pkl").read_bytes() == b"weights"
    assert (target / "train/run.sh").stat().st_mode & 0o777 == 0o755
    assert (target / "deep/er/x").stat().st_mtime == 1_000_000_000


def test_links_that_stay_inside_are_fine(make_tar, target: Path) -> None:
    archive = make_tar().file("a/x", b"1").link("b/soft", "../a/x")
    archive.link("b/hard", "a/x", hard=True).link("folder", "a")

    unpack_archive(archive.done(), target)

    assert (target / "b/soft").read_bytes() == b"1"
    assert (target / "b/hard").read_bytes() == b"1"
    assert (target / "folder/x").read_bytes() == b"1"


def _members(kind: str, archive) -> None:
    {
        "absolute name": lambda: archive.file("/alo-was-here"),
        "name that climbs": lambda: archive.file("../x"),
        "name that climbs later": lambda: archive.file("a/../../x"),
        "name that climbs and comes back": lambda: archive.file("a/../x"),
        "link to an absolute name": lambda: archive.link("a", "/etc"),
        "link that climbs": lambda: archive.link("a", "../outside"),
        "link that climbs from below": lambda: archive.link("a/b", "../../outside"),
        "hard link to an absolute name": lambda: archive.link("a", "/etc/passwd", hard=True),
        "hard link that climbs": lambda: archive.link("a", "../outside/x", hard=True),
        "link through a link": lambda: (
            archive.member("d", tarfile.DIRTYPE).link("d/up", "..").link("out", "d/up/..")
        ),
        "chain whose last link comes first": lambda: (
            archive.link("out", "d/up/..").member("d", tarfile.DIRTYPE).link("d/up", "..")
        ),
        "hard link to a link that fits only where it was": lambda: archive.link("d/a", "../x").link(
            "a", "d/a", hard=True
        ),
        "character device": lambda: archive.member("null", tarfile.CHRTYPE, devmajor=1, devminor=3),
        "block device": lambda: archive.member("disk", tarfile.BLKTYPE, devmajor=8),
        "pipe": lambda: archive.member("pipe", tarfile.FIFOTYPE),
        "set-uid": lambda: archive.file("x", mode=0o4755),
        "set-gid": lambda: archive.file("x", mode=0o2755),
        "file where a folder is": lambda: archive.file("x/y").file("x"),
        "folder where a file is": lambda: archive.file("x").file("x/y"),
        "endless name": lambda: archive.file("n" * 300),
        "link to itself": lambda: archive.link("a", "a").file("a/x"),
    }[kind]()


@pytest.mark.parametrize(
    "kind",
    [
        "absolute name",
        "name that climbs",
        "name that climbs later",
        "name that climbs and comes back",
        "link to an absolute name",
        "link that climbs",
        "link that climbs from below",
        "hard link to an absolute name",
        "hard link that climbs",
        "link through a link",
        "chain whose last link comes first",
        "hard link to a link that fits only where it was",
        "character device",
        "block device",
        "pipe",
        "set-uid",
        "set-gid",
        "file where a folder is",
        "folder where a file is",
        "endless name",
        "link to itself",
    ],
)
def test_what_would_leave_the_folder_or_is_no_file_is_refused(
    kind: str, make_tar, target: Path
) -> None:
    archive = make_tar().file("honest", b"1")
    _members(kind, archive)

    with pytest.raises(ArchiveError, match=r"model\.tar\.gz"):
        unpack_archive(archive.done(), target)

    assert sorted(os.listdir(target.parent)) == ["outside", "target"]


def test_nothing_is_written_through_a_link_that_came_before(make_tar, target: Path) -> None:
    victim = target.parent / "victim"
    victim.mkdir()
    (target / "planted").symlink_to(victim)

    with pytest.raises(ArchiveError, match="through a link"):
        unpack_archive(make_tar().file("planted/x").done(), target)

    assert os.listdir(victim) == []


def test_a_name_that_comes_twice_does_not_write_through_the_first(make_tar, target: Path) -> None:
    archive = make_tar().file("a", b"first").link("b", "a", hard=True).file("b", b"second")

    unpack_archive(archive.done(), target)

    assert (target / "a").read_bytes() == b"first"
    assert (target / "b").read_bytes() == b"second"


def test_too_many_files_are_refused_and_the_limit_is_reported(make_tar, target: Path) -> None:
    archive = make_tar()
    for number in range(5):
        archive.file(str(number))

    with pytest.raises(ArchiveError, match="more than 4 files") as caught:
        unpack_archive(archive.done(), target, Limits(files=4))

    assert MAX_FILES in caught.value.fix


def test_too_many_bytes_are_refused_before_they_are_written(make_tar, target: Path) -> None:
    archive = make_tar().file("a", b"1" * 60).file("b", b"2" * 60)

    with pytest.raises(ArchiveError, match="unpacks to more than 100 bytes") as caught:
        unpack_archive(archive.done(), target, Limits(size=100))

    assert MAX_BYTES in caught.value.fix
    assert os.listdir(target) == ["a"]


def test_a_size_no_honest_archive_has_is_refused_at_sight(target: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 10**13
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT)))

    with pytest.raises(ArchiveError, match="unpacks to more than 1,000,000,000 bytes"):
        unpack_archive(archive, target)


@pytest.mark.parametrize(
    ("archive_bytes", "limit"), [(10, 10**9), (10**8, 2 * 10**10), (10**12, 5 * 10**10)]
)
def test_the_usual_limit_grows_with_the_archive(archive_bytes: int, limit: int) -> None:
    assert Limits().size_for(archive_bytes) == limit


def test_limits_come_from_the_environment() -> None:
    limits = Limits.from_environ({MAX_BYTES: "5", MAX_FILES: "6"})

    assert limits == Limits(5, 6)
    assert limits.size_for(10**12) == 5
    with pytest.raises(ArchiveError, match=f"{MAX_BYTES}=5 GB is not a whole number"):
        Limits.from_environ({MAX_BYTES: "5 GB"})


def test_an_extended_header_that_fills_the_memory_is_refused(target: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2 << 20
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(3 << 20)))

    with pytest.raises(ArchiveError, match="a header of 2,097,152 bytes"):
        unpack_archive(archive, target)


def test_room_is_looked_for_before_a_file_is_written(
    make_tar, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_tar().file("big", bytes(archive_members.CHUNK)).done()
    full = os.statvfs_result((4096, 4096, 10, 10, 10, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: full)

    with pytest.raises(OSError, match="no room for 'big' of 1,048,576 bytes") as caught:
        unpack_archive(archive, target)

    assert caught.value.errno == errno.ENOSPC


def _plain_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("a", "b", "c"):
            info = tarfile.TarInfo(name)
            info.size = 2000
            archive.addfile(info, io.BytesIO(name.encode() * 2000))
    return buffer.getvalue()


def test_a_plain_tar_is_unpacked_too(target: Path) -> None:
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(_plain_tar())

    assert unpack_archive(archive, target) == 3


@pytest.mark.parametrize("length", [0, 1, 10, 512, 700, 2560, 3000, 5120, 7000])
@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_that_is_cut_short_is_damaged(length: int, packed: bool, target: Path) -> None:
    content = _plain_tar()[:length]
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(gzip.compress(content) if packed else content)

    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack_archive(archive, target)


@pytest.mark.parametrize("content", [b"\x1f\x8b", b"not an archive" * 100, b"PK\3\4" + bytes(600)])
def test_what_is_no_archive_is_damaged(content: bytes, target: Path) -> None:
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(content)

    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack_archive(archive, target)


def test_a_damaged_header_in_the_middle_is_not_taken_for_the_end(target: Path) -> None:
    content = bytearray(_plain_tar())
    content[2560 : 2560 + 20] = b"x" * 20  # of the second header
    archive = target.parent / "model.tar.gz"
    archive.write_bytes(gzip.compress(content))

    with pytest.raises(ArchiveError, match="a header is damaged"):
        unpack_archive(archive, target)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7), cut=st.booleans())
def test_every_damage_to_a_compressed_archive_is_found(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    packed = bytearray(gzip.compress(_plain_tar(), mtime=0))
    at = 10 + position % (len(packed) - 10)  # after the fields of the header that say nothing
    if cut:
        del packed[at:]
    else:
        packed[at] ^= 1 << bit
    assume(not _means_the_same(packed))  # a bit between the stream and its checksum says nothing
    (folder / "model.tar.gz").write_bytes(packed)
    (folder / "target").mkdir()

    with pytest.raises(ArchiveError):
        unpack_archive(folder / "model.tar.gz", folder / "target")


def _means_the_same(packed: bytes) -> bool:
    try:
        return gzip.decompress(packed) == _plain_tar()
    except (OSError, EOFError, zlib.error):
        return False
