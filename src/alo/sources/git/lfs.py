"""Git LFS: files of which a repository has only a pointer, and their content on a server."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from alo.errors import SourceError
from alo.plan.suggest import listed

LARGEST_POINTER = 1024  # bytes, of LFS' own specification
POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d+)\n?"
)


class Pointer(NamedTuple):
    """What is in a file's place: the SHA-256 and the size of its content."""

    oid: str
    size: int

    def path(self, objects: Path) -> Path:
        """Where git-lfs keeps the content."""
        return objects / self.oid[:2] / self.oid[2:4] / self.oid


def pointers(folder: Path) -> dict[str, Pointer]:
    """The pointers in a folder, by their names in it."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if pointer := _pointer(path):
                found[path.relative_to(folder).as_posix()] = pointer
    return found


def _pointer(path: Path) -> Pointer | None:
    if path.is_symlink() or path.stat().st_size > LARGEST_POINTER:
        return None
    match = POINTER.fullmatch(path.read_bytes())
    return Pointer(match[1].decode(), int(match[2])) if match else None


def are_whole(found: Mapping[str, Pointer], objects: Path) -> bool:
    """Whether git-lfs has the contents of all of these here."""
    return all(_is_whole(each, objects) for each in found.values())


def fill(folder: Path, found: Mapping[str, Pointer], objects: Path) -> None:
    """Put the content of files in the place of their pointers.

    Args:
        objects: where git-lfs keeps contents.
    Raises:
        SourceError: a content is not there.
    """
    from shutil import copyfile

    for name, pointer in found.items():
        if not _is_whole(pointer, objects):
            raise SourceError(
                f"Git LFS has not brought the content of {name}, {pointer.size:,} bytes",
                fix="see that `git lfs fetch` brings it in a clone of your own",
            )
        try:
            copyfile(pointer.path(objects), folder / name)
        except OSError as error:  # copying says of a full disk not where
            raise OSError(error.errno, error.strerror, str(folder / name)) from error


def without_lfs(url: str, found: Mapping[str, Pointer]) -> SourceError:
    """The error for a machine without git-lfs."""
    sizes = sum(pointer.size for pointer in found.values())
    return SourceError(
        f"{url} keeps {listed(found)} ({sizes:,} bytes) in Git LFS, and git-lfs is not installed "
        "here: the asset would find a pointer of three lines in the place of each file",
        fix="install it (Debian, Ubuntu: apt install git-lfs), or have the files in the repository "
        "itself",
    )


def _is_whole(pointer: Pointer, objects: Path) -> bool:
    from hashlib import sha256

    path = pointer.path(objects)
    try:
        if path.stat().st_size != pointer.size:
            return False
        digest = sha256()
        with open(path, "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == pointer.oid
