"""Files into and out of history: each a file of its own, by shared blocks where that can be.

Links are kept as links and never followed; what is neither file, folder nor link is left out.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from alo.copies import clone_or_copy


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


def copy_tree(source: Path, target: Path) -> None:
    """Give all of a folder's files a second place in a new folder, where they may be changed."""
    target.mkdir(parents=True)
    for found in found_below(source):
        put(found, os.path.join(target, found.name))


def put(found: Found, target: str) -> None:
    """Make ``found`` anew at ``target``."""
    match found.kind:
        case "folder":
            os.mkdir(target)
        case "link":
            os.symlink(os.readlink(found.path), target)
        case _:
            clone_or_copy(found.path, target)
