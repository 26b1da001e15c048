"""What comes out of an archive that anyone may have made: nothing of it leaves its folder."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from alo.copies import link_or_copy
from alo.errors import AloError
from alo.files import CHUNK, set_mode
from alolib.disk import free_bytes

MAX_BYTES, MAX_FILES = "ALO_ARCHIVE_MAX_BYTES", "ALO_ARCHIVE_MAX_FILES"

Open = Callable[[], "IO[bytes] | None"]  # a member's content


class ArchiveError(AloError):
    """An archive is damaged, too big, or would write outside of the folder it is unpacked into."""


class Limits(NamedTuple):
    """How much an archive may unpack to; 0 bytes: what no honest archive of its size exceeds."""

    size: int = 0
    files: int = 100_000

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Limits:
        """The limits that a user has set.

        Raises:
            ArchiveError: one of them is not a number.
        """
        return cls(_number(environ, MAX_BYTES, 0), _number(environ, MAX_FILES, cls().files))

    def size_for(self, archive_bytes: int) -> int:
        """The most bytes that an archive of ``archive_bytes`` may unpack to."""
        # Deflate makes at most a thousandth of a file; models of a GB never come near 1 to 200.
        return self.size or min(50 * 10**9, max(10**9, 200 * archive_bytes))


USUAL = Limits()


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if text and not (text.isdecimal() and text.isascii()):
        raise ArchiveError(
            f"{name}={text} is not a whole number", fix=f"correct {name}, or unset it"
        )
    return int(text) if text else default


class Unpacking:
    """What has come out of one archive so far."""

    def __init__(self, archive: str, target: Path, max_files: int, max_bytes: int) -> None:
        self.files = 0
        self._archive, self._target = archive, target
        self._root = os.path.realpath(target)
        self._max_files, self._max_bytes = max_files, max_bytes
        self._members = self._bytes = 0
        self._links: list[Path] = []

    def take(self, member: tarfile.TarInfo, open_content: Open) -> None:
        """Write one member, if it may be written."""
        self._check_kind(member)
        self._check_name(member)
        self._check_amount(member)
        if member.isdir() and posixpath.normpath(member.name or ".") == ".":
            return  # the folder itself, as ``tar -C models .`` packs it
        path = self._target / member.name
        try:
            is_inside = self._is_inside(os.path.realpath(path.parent))
            if is_inside:
                self._extract(member, open_content, path)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise self._refused(member, "stands where another of its members is") from error
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.ENOENT, errno.ELOOP):
                raise self._refused(member, f"cannot be written: {error.strerror}") from error
            raise
        except ValueError as error:  # a name with a zero byte in it
            raise self._refused(member, f"cannot be written: {error}") from error
        if not is_inside:
            raise self._refused(member, "would be written outside of its folder, through a link")

    def check_links(self) -> None:
        """Where links lead is known only when all of them are there: one may go through another."""
        for link in self._links:
            if os.path.lexists(link) and not self._is_inside(os.path.realpath(link)):
                name = link.relative_to(self._target)
                raise ArchiveError(
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
            raise ArchiveError(
                f"{self._archive} holds more than {self._max_files:,} files",
                fix=f"if that is right, raise the limit: set {MAX_FILES} in the environment",
            )
        if not member.isreg():
            return
        if member.size < 0:
            raise self._refused(member, "has a size below zero")
        self._bytes += member.size
        if self._bytes > self._max_bytes:
            raise ArchiveError(
                f"{self._archive} unpacks to more than {self._max_bytes:,} bytes",
                fix=f"if that is right, raise the limit: set {MAX_BYTES} in the environment",
            )
        self._check_room(member)

    def _check_room(self, member: tarfile.TarInfo) -> None:
        if member.size < CHUNK:
            return
        free = free_bytes(self._target)
        if free is not None and free < member.size:
            raise OSError(
                errno.ENOSPC,
                f"no room for '{member.name}' of {member.size:,} bytes",
                str(self._target),
            )

    def _extract(self, member: tarfile.TarInfo, open_content: Open, path: Path) -> None:
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
            self._write(member, open_content, path)
        self.files += 1

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        original = self._target / posixpath.normpath(member.linkname)
        if not self._is_inside(os.path.realpath(original.parent)):
            raise self._refused(member, "links to a file outside of its folder, through a link")
        if original.is_symlink():
            os.symlink(os.readlink(original), path)
        else:
            link_or_copy(original, path)
        self._links.append(path)

    def _write(self, member: tarfile.TarInfo, open_content: Open, path: Path) -> None:
        import shutil

        content = open_content()
        if content is None:
            raise self._refused(member, "has no content")
        with content, open(path, "xb") as file:
            shutil.copyfileobj(content, file, CHUNK)
            if file.tell() != member.size:
                raise tarfile.ReadError(f"'{member.name}' is cut short")
        set_mode(path, 0o755 if member.mode & stat.S_IXUSR else 0o644)
        try:
            os.utime(path, (member.mtime, member.mtime))
        except (OverflowError, ValueError, OSError):
            return  # a time that no file can have

    def _is_inside(self, real: str) -> bool:
        return os.path.commonpath([real, self._root]) == self._root

    def _refused(self, member: tarfile.TarInfo, why: str) -> ArchiveError:
        return ArchiveError(
            f"{self._archive} holds '{member.name}', which {why}",
            fix="do not use this archive unless you know who made it",
        )


def _leaves(name: str) -> bool:
    return posixpath.normpath(name).split("/")[0] == ".."
