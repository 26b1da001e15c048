"""Files into and out of history: shared with their source where that can be, copied where it must.

Links are kept as links and never followed; what is neither file, folder nor link is left out.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import xxhash

from alo.files import CHUNK

_FICLONE = 0x40049409  # of Linux: share the blocks until one of the two files is written to
PutFile: TypeAlias = Callable[[str, str], object]  # from the first path to the second


class Found(NamedTuple):
    """Something in a folder that is kept."""

    name: str  # relative, with slashes
    path: str
    kind: str  # file, folder or link
    size: int = 0


def found_below(folder: Path) -> Iterator[Found]:
    """What is in a folder, each folder before what it holds; nothing if there is no such folder."""
    pending = [("", os.fspath(folder))]
    while pending:
        prefix, path = pending.pop()
        try:
            entries = list(os.scandir(path))
        except FileNotFoundError:
            continue
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_symlink():
                yield Found(name, entry.path, "link")
            elif entry.is_dir():
                yield Found(name, entry.path, "folder")
                pending.append((f"{name}/", entry.path))
            elif entry.is_file():
                yield Found(name, entry.path, "file", entry.stat().st_size)


class Sharer:
    """Gives a file a second place by the cheapest way that works between the two file systems."""

    def __init__(self) -> None:
        self._ways: list[PutFile] = [_reflink, os.link, _copy]

    def share(self, source: str, target: str) -> None:
        while True:
            try:
                self._ways[0](source, target)
                return
            except FileNotFoundError:  # gone meanwhile: no way can help
                raise
            except OSError:
                if len(self._ways) == 1 or os.path.lexists(target):
                    raise
                del self._ways[0]


def link_tree(source: Path, target: Path) -> None:
    """Give all of a folder's files a second place in a new folder, without copying if possible."""
    sharer = Sharer()
    target.mkdir(parents=True)
    for found in found_below(source):
        put(found, os.path.join(target, found.name), sharer.share)


def put(found: Found, target: str, put_file: PutFile) -> None:
    """Make ``found`` anew at ``target``, a file by the way that is given."""
    match found.kind:
        case "folder":
            os.mkdir(target)
        case "link":
            os.symlink(os.readlink(found.path), target)
        case _:
            put_file(found.path, target)


def copy_and_hash(source: str, target: str) -> str:
    """Copy a file, its permissions included; returns its checksum."""
    digest = xxhash.xxh3_128()
    with open(source, "rb", buffering=0) as reader, open(target, "xb", buffering=0) as writer:
        os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
        while content := reader.read(CHUNK):
            digest.update(content)
            writer.write(content)
    return digest.hexdigest()


def _reflink(source: str, target: str) -> None:
    with open(source, "rb") as reader, open(target, "xb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
            os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
        except BaseException:
            os.unlink(target)
            raise


def _copy(source: str, target: str) -> None:
    copy_range: Any = getattr(os, "copy_file_range", None)  # Linux only
    if copy_range is None:
        copy_and_hash(source, target)
        return
    with open(source, "rb") as reader, open(target, "xb") as writer:
        os.fchmod(writer.fileno(), os.fstat(reader.fileno()).st_mode & 0o777)
        try:
            while copy_range(reader.fileno(), writer.fileno(), 1 << 30):
                pass
        except OSError:  # between two file systems of old kernels
            os.unlink(target)
            copy_and_hash(source, target)
