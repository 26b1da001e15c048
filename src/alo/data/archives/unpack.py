"""Unpack an archive of models, whichever kind it is under the name ``model.tar.gz``.

Here: how each kind is read. What may come out of it is in ``archive_members.py``.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import tarfile
import time
import zlib
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from alo.data.archives.members import USUAL, ArchiveError, Limits, Unpacking
from alo.files import CHUNK

if TYPE_CHECKING:
    from zipfile import ZipInfo

GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
ZIPS = (b"PK\3\4", b"PK\5\6")
LONGEST_LINK = 4096  # bytes of what a link in a zip points to
FROM_DOS = 0  # a zip's system whose names may have \\ for /
MAX_HEADER_BYTES = 1 << 20  # of an extended header: tarfile reads those whole
EXTENDED = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


def unpack_archive(archive: Path, target: Path, limits: Limits = USUAL) -> int:
    """Unpack an archive into a folder that exists; returns the number of files.

    A tar in gzip is what ALO makes; a plain one, one in bzip2 or xz, and a zip are read too.

    Raises:
        ArchiveError: it is refused. What had been written by then stays in ``target``, which
            the caller throws away.
        OSError: ``target`` cannot be written to.
    """
    damage = _damage()
    with open(archive, "rb") as file:
        magic = file.read(8)
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        unpacking = Unpacking(str(archive), target, limits.files, limits.size_for(size))
        try:
            if magic.startswith(ZIPS):
                _read_zip(file, unpacking)
            else:
                _read_tar(_plain(file, magic), unpacking)
        except damage as error:
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise  # of the disk; a reader has none, or is sent to before the start
            raise ArchiveError(
                f"{archive} cannot be unpacked: {error}",
                fix="make the archive again; it is damaged or not a tar.gz file",
            ) from error
    unpacking.check_links()
    return unpacking.files


def _damage() -> tuple[type[Exception], ...]:
    """What the readers raise for an archive that is not what it should be."""
    from lzma import LZMAError
    from zipfile import BadZipFile

    return (
        *(tarfile.TarError, BadZipFile, LZMAError, zlib.error, struct.error),
        *(EOFError, ValueError, ArithmeticError, RuntimeError, OSError),
    )


def _plain(file: IO[bytes], magic: bytes) -> IO[bytes]:
    """The tar in a file."""
    if magic.startswith(GZIP):
        import gzip

        return gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[return-value]
    if magic.startswith(BZIP2):
        import bz2

        return bz2.BZ2File(file)
    if magic.startswith(XZ):
        import lzma

        return lzma.LZMAFile(file)
    if magic.startswith(ZSTD):
        raise tarfile.ReadError("it is packed with zstd, which is not read here")
    return file


class _Header(tarfile.TarInfo):
    """Headers as tarfile reads them, but a damaged one is an error, not the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the end, as it should be
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"a header is damaged: {error}") from error
        if header.type in EXTENDED and not 0 <= header.size <= MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


def _read_tar(stream: IO[bytes], unpacking: Unpacking) -> None:
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Header) as opened:
        for member in opened:
            unpacking.take(member, partial(opened.extractfile, member))
            opened.members.clear()  # type: ignore[attr-defined]  # else it remembers every header
    while rest := stream.read(CHUNK):  # up to the checksum at the very end
        if rest.strip(b"\0"):
            raise tarfile.ReadError("there is more after its end, such as a second archive")


def _read_zip(file: IO[bytes], unpacking: Unpacking) -> None:
    from zipfile import ZipFile

    with ZipFile(file) as opened:
        for info in opened.infolist():
            if info.flag_bits & 1:
                raise tarfile.ReadError(f"'{info.filename}' is encrypted")
            member = _member_of(info)
            if member.issym():
                with opened.open(info) as content:
                    to = content.read(LONGEST_LINK)
                member.linkname = to.decode("utf-8", "surrogateescape")
            unpacking.take(member, partial(opened.open, info))


def _member_of(info: ZipInfo) -> tarfile.TarInfo:
    name = info.filename
    if info.create_system == FROM_DOS:
        name = name.replace("\\", "/")
    member = tarfile.TarInfo(name.rstrip("/"))
    mode = info.external_attr >> 16
    kinds = {0: tarfile.REGTYPE, stat.S_IFREG: tarfile.REGTYPE, stat.S_IFLNK: tarfile.SYMTYPE}
    is_folder = name.endswith("/") or stat.S_ISDIR(mode)
    member.type = tarfile.DIRTYPE if is_folder else kinds.get(stat.S_IFMT(mode), tarfile.CHRTYPE)
    member.size = 0 if is_folder else info.file_size
    member.mode = stat.S_IMODE(mode)
    try:
        member.mtime = int(time.mktime((*info.date_time, 0, 0, -1)))
    except (ValueError, OverflowError):  # no date of any calendar
        member.mtime = 0
    return member
