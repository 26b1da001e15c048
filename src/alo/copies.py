"""Give a file a second place: by shared blocks where the file system has those, else by a copy.

A second *name* of one file is given only to what no one writes into: whoever opens a file for
writing (root may, whatever its mode is) changes it under all of its names.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import xxhash

from alo.files import CHUNK, make_link, set_mode, set_time, synchronise

FICLONE = 0x40049409  # of Linux: share the blocks until one of the two files is written to
MODE = 0o777
MANY = 50  # files, from which on the whole system is synchronised rather than each of them
SMALL = 1 << 15  # bytes of a file for which no more memory is taken than that


def clone_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` a file of its own with the content, permissions and time of ``source``.

    Raises:
        OSError: of whatever the system says; there is no target then.
    """
    with _opened(source, target) as (reader, writer):
        if not _clone(reader.fileno(), writer.fileno()):
            _copy(reader.fileno(), writer.fileno())


def copy_content(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` a file with the content of ``source``, and nothing else of it."""
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        if not _clone(reader.fileno(), writer.fileno()):
            _copy(reader.fileno(), writer.fileno())


def clone(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> bool:
    """As ``clone_or_copy`` where the two can share their blocks; else nothing is there."""
    with _opened(source, target) as (reader, writer):
        is_clone = _clone(reader.fileno(), writer.fileno())
    if not is_clone:
        os.unlink(target)
    return is_clone


def link_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` a second name of a file that no one writes into; or else a copy.

    Raises:
        OSError: of whatever the system says; there is no target then.
    """
    if not link(source, target):
        clone_or_copy(source, target)


def link(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> bool:
    """Make ``target`` a second name of a file, where the file system can; whether it could."""
    try:
        os.link(source, target)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:  # another file system, or one without links, or too many of them
        return False
    if os.stat(target).st_nlink > 1:
        return True
    os.unlink(target)  # where names are not counted, no one could see that it has two
    return False


def copy_and_hash(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> str:
    """As ``clone_or_copy``, in one pass with the checksum (xxh3-128), which it returns."""
    digest = xxhash.xxh3_128()
    with _opened(source, target) as (reader, writer):
        size = CHUNK if os.fstat(reader.fileno()).st_size > SMALL else SMALL
        while content := reader.read(size):
            digest.update(content)
            _write(writer.fileno(), content)
    return digest.hexdigest()


def copy_folder(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Copy a folder and all that is in it; links are copied as they are.

    Raises:
        OSError: of whatever the system says; what was copied by then is there.
    """
    os.makedirs(target)
    with os.scandir(source) as entries:
        for entry in entries:
            place = os.path.join(target, entry.name)
            if entry.is_symlink():
                make_link(os.readlink(entry.path), place)
            elif entry.is_dir():
                copy_folder(entry.path, place)
            elif entry.is_file():
                clone_or_copy(entry.path, place)


def settle(folder: Path) -> None:
    """Have all files of a folder on the disk: before it, or what names them, is put in place.

    Raises:
        OSError: they cannot be.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) > MANY:
        os.sync()
        return
    for path in files:
        with open(path, "rb") as file:
            synchronise(file.fileno())


@contextmanager
def _opened(
    source: str | os.PathLike[str], target: str | os.PathLike[str]
) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Both files; the new one gets mode and time of the other, or is gone after an error."""
    with open(source, "rb", buffering=0) as reader:
        status = os.fstat(reader.fileno())

        def create(path: str, flags: int) -> int:
            return os.open(path, flags, status.st_mode & MODE | 0o200)

        with open(target, "xb", buffering=0, opener=create) as writer:
            try:
                yield reader, writer
                _keep_mode_and_time(writer.fileno(), status)
            except BaseException:
                with suppress(OSError):
                    os.unlink(target)
                raise


def _keep_mode_and_time(descriptor: int, status: os.stat_result) -> None:
    set_time(descriptor, status.st_mtime_ns)
    if os.fstat(descriptor).st_mode & MODE != status.st_mode & MODE:
        set_mode(descriptor, status.st_mode & MODE)


def _clone(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def _copy(source: int, target: int) -> None:
    copy_range: Any = getattr(os, "copy_file_range", None)  # Linux only
    if copy_range is not None:
        try:
            while copy_range(source, target, 1 << 30):
                pass
            return
        except OSError:  # between two file systems, of an old kernel
            os.ftruncate(target, 0)
            os.lseek(target, 0, os.SEEK_SET)
            os.lseek(source, 0, os.SEEK_SET)
    while content := os.read(source, CHUNK):
        _write(target, content)


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
