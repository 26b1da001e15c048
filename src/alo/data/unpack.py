"""Unpack an archive that anyone may have made, and let nothing leave the target folder."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

from alo.errors import AloError
from alo.files import CHUNK

MAX_BYTES, MAX_FILES = "ALO_ARCHIVE_MAX_BYTES", "ALO_ARCHIVE_MAX_FILES"
GZIP_MAGIC = b"\x1f\x8b"
MAX_HEADER_BYTES = 1 << 20  # of an extended header: tarfile reads those whole
EXTENDED = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}


class BadArchive(AloError):
    """An archive is damaged, too big, or would write outside of the folder it is unpacked into."""


class Limits(NamedTuple):
    """How much an archive may unpack to; 0 bytes: what no honest archive of its size exceeds."""

    size: int = 0
    files: int = 100_000

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Limits:
        """The limits that a user has set.

        Raises:
            BadArchive: one of them is not a number.
        """
        return cls(_number(environ, MAX_BYTES, 0), _number(environ, MAX_FILES, cls().files))

    def size_for(self, archive_bytes: int) -> int:
        # Deflate makes at most a thousandth of a file; models of a GB never come near 1 to 200.
        return self.size or min(50 * 10**9, max(10**9, 200 * archive_bytes))


USUAL = Limits()


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if text and not (text.isdecimal() and text.isascii()):
        raise BadArchive(f"{name}={text} is not a whole number", fix=f"correct {name}, or unset it")
    return int(text) if text else default


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


def unpack_tar(archive: Path, target: Path, limits: Limits = USUAL) -> int:
    """Unpack a .tar.gz (or plain .tar) into a folder that exists; returns the number of files.

    Raises:
        BadArchive: the archive is refused. What had been written by then stays in ``target``, which
            the caller throws away.
        OSError: ``target`` cannot be written to.
    """
    with open(archive, "rb") as file:
        return unpack_stream(file, str(archive), target, limits)


def unpack_stream(file: IO[bytes], name: str, target: Path, limits: Limits = USUAL) -> int:
    """As ``unpack_tar``, from an open file; ``name`` is for messages."""
    import gzip

    size = os.fstat(file.fileno()).st_size
    is_gzip = file.read(2) == GZIP_MAGIC
    file.seek(0)
    stream: IO[bytes] = gzip.GzipFile(fileobj=file, mode="rb") if is_gzip else file  # type: ignore[assignment]
    unpacking = _Unpacking(name, target, limits.files, limits.size_for(size))
    try:
        with tarfile.open(fileobj=stream, mode="r:", tarinfo=_Header) as opened:
            for member in opened:
                unpacking.take(opened, member)
                opened.members.clear()  # type: ignore[attr-defined]  # else it remembers every header
        while stream.read(CHUNK):  # up to the checksum at the very end
            pass
    except (tarfile.TarError, zlib.error, EOFError, gzip.BadGzipFile, RecursionError) as error:
        raise BadArchive(
            f"{name} cannot be unpacked: {error}",
            fix="make the archive again; it is damaged or not a tar.gz file",
        ) from error
    unpacking.check_links()
    return unpacking.files


class _Unpacking:
    """What has come out of one archive so far."""

    def __init__(self, archive: str, target: Path, max_files: int, max_bytes: int) -> None:
        self.files = 0
        self._archive, self._target = archive, target
        self._root = os.path.realpath(target)
        self._max_files, self._max_bytes = max_files, max_bytes
        self._members = self._bytes = 0
        self._links: list[Path] = []

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member, if it may be written."""
        self._check_kind(member)
        self._check_name(member)
        self._check_amount(member)
        if member.isdir() and posixpath.normpath(member.name or ".") == ".":
            return  # the folder itself, as ``tar -C models .`` packs it
        path = self._target / member.name
        if not self._is_inside(os.path.realpath(path.parent)):
            raise self._refused(member, "would be written outside of its folder, through a link")
        try:
            self._extract(archive, member, path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise self._refused(member, "stands where another of its members is") from error
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.ENOENT, errno.ELOOP):
                raise self._refused(member, f"cannot be written: {error.strerror}") from error
            raise
        except ValueError as error:  # a name with a zero byte in it
            raise self._refused(member, f"cannot be written: {error}") from error

    def check_links(self) -> None:
        """Where links lead is known only when all of them are there: one may go through another."""
        for link in self._links:
            if os.path.lexists(link) and not self._is_inside(os.path.realpath(link)):
                name = link.relative_to(self._target)
                raise BadArchive(
                    f"{self._archive} holds '{name}', a link out of its folder",
                    fix="do not use this archive unless you know who made it",
                )

    def _check_kind(self, member: tarfile.TarInfo) -> None:
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            raise self._refused(member, "is a device or pipe")
        if not member.isdir() and member.mode & (stat.S_ISUID | stat.S_ISGID):
            raise self._refused(member, "would run with another user's rights (set-uid)")

    def _check_name(self, member: tarfile.TarInfo) -> None:
        if posixpath.isabs(member.name) or ".." in member.name.split("/"):
            raise self._refused(member, "would be written outside of its folder")
        led_to = member.linkname
        if member.issym():
            led_to = posixpath.join(posixpath.dirname(member.name), led_to)
        is_link = member.issym() or member.islnk()
        if is_link and (posixpath.isabs(led_to) or _leaves(led_to)):
            raise self._refused(member, f"links to '{member.linkname}', outside of its folder")

    def _check_amount(self, member: tarfile.TarInfo) -> None:
        self._members += 1
        if self._members > self._max_files:
            raise BadArchive(
                f"{self._archive} holds more than {self._max_files:,} files",
                fix=f"if that is right, raise the limit: set {MAX_FILES} in the environment",
            )
        if not member.isreg():
            return
        if member.size < 0:
            raise self._refused(member, "has a size below zero")
        self._bytes += member.size
        if self._bytes > self._max_bytes:
            raise BadArchive(
                f"{self._archive} unpacks to more than {self._max_bytes:,} bytes",
                fix=f"if that is right, raise the limit: set {MAX_BYTES} in the environment",
            )
        self._check_room(member)

    def _check_room(self, member: tarfile.TarInfo) -> None:
        if member.size < CHUNK:
            return
        status = os.statvfs(self._target)
        if status.f_bavail * status.f_frsize < member.size:
            raise OSError(
                errno.ENOSPC,
                f"no room for '{member.name}' of {member.size:,} bytes",
                str(self._target),
            )

    def _extract(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.is_file():
            path.unlink()  # never write through what is there
        if member.issym():
            path.symlink_to(member.linkname)
            self._links.append(path)
        elif member.islnk():
            self._link(member, path)
        else:
            self._write(archive, member, path)
        self.files += 1

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        original = self._target / posixpath.normpath(member.linkname)
        if not self._is_inside(os.path.realpath(original.parent)):
            raise self._refused(member, "links to a file outside of its folder, through a link")
        os.link(original, path, follow_symlinks=False)
        self._links.append(path)

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
        import shutil

        content = archive.extractfile(member)
        if content is None:
            raise self._refused(member, "has no content")
        with content, open(path, "xb") as file:
            shutil.copyfileobj(content, file, CHUNK)
            if file.tell() != member.size:
                raise tarfile.ReadError(f"'{member.name}' is cut short")
        path.chmod(0o755 if member.mode & stat.S_IXUSR else 0o644)
        try:
            os.utime(path, (member.mtime, member.mtime))
        except (OverflowError, ValueError, OSError):
            return  # a time that no file can have

    def _is_inside(self, real: str) -> bool:
        return os.path.commonpath([real, self._root]) == self._root

    def _refused(self, member: tarfile.TarInfo, why: str) -> BadArchive:
        return BadArchive(
            f"{self._archive} holds '{member.name}', which {why}",
            fix="do not use this archive unless you know who made it",
        )


def _leaves(name: str) -> bool:
    return posixpath.normpath(name).split("/")[0] == ".."
