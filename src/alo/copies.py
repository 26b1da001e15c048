"""Give a file a second place by the cheapest way there is: shared blocks, a second name, a copy."""

from __future__ import annotations

import fcntl
import os
from typing import Any

import xxhash

from alo.files import CHUNK

FICLONE = 0x40049409  # of Linux: share the blocks until one of the two files is written to


def clone_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` a file of its own with the content and permissions of ``source``.

    Raises:
        OSError: of whatever the system says; there is no target then.
    """
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        try:
            os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
            if not _clone(reader.fileno(), writer.fileno()):
                _copy(reader.fileno(), writer.fileno())
        except BaseException:
            os.unlink(target)
            raise


def clone_or_link(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` at no cost: a clone, or a second name of the same file; or else a copy.

    A second name shows what is written into the file under the first one.

    Raises:
        OSError: of whatever the system says; there is no target then.
    """
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
        is_clone = _clone(reader.fileno(), writer.fileno())
    if not is_clone:
        os.unlink(target)
        link_or_copy(source, target)


def link_or_copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Make ``target`` a second name of a file that no one writes into; or else a copy.

    Raises:
        OSError: of whatever the system says; there is no target then.
    """
    try:
        os.link(source, target)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:  # another file system, or one without links
        clone_or_copy(source, target)


def copy_and_hash(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> str:
    """Copy a file, its permissions included; returns its checksum (xxh3-128)."""
    digest = xxhash.xxh3_128()
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
        while content := reader.read(CHUNK):
            digest.update(content)
            _write(writer.fileno(), content)
    return digest.hexdigest()


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
