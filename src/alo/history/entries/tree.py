"""Files into and out of history: each a file of its own, by shared blocks where that can be.

A link stays a link wherever it is kept, and is never followed. What it names in its own folder it
names in a copy of that folder too; out of it, it leads to where it led before. What is neither
file, folder nor link is left out, and so is a link where the file system has none.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from alo.copies import clone_or_copy
from alo.files import make_link
from alo.named_tuples import NamedTuple

FILE, FOLDER, LINK = "file", "folder", "link"  # kinds of what is found


class Found(NamedTuple):
    """Something in a folder that is kept."""

    name: str  # relative, with slashes
    path: str
    kind: str  # file, folder or link
    size: int = 0
    status: os.stat_result | None = None  # of a file


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
                yield Found(name, entry.path, LINK)
            elif entry.is_dir():
                yield Found(name, entry.path, FOLDER)
                pending.append((f"{name}/", entry.path))
            elif entry.is_file():
                status = entry.stat()
                yield Found(name, entry.path, FILE, status.st_size, status)


def copy_tree(source: Path, target: Path) -> None:
    """Give all of a folder's files a second place in a new folder, where they may be changed."""
    target.mkdir(parents=True)
    for found in found_below(source):
        put(found, os.path.join(target, found.name))


def put(found: Found, target: str, made_at: Path | None = None) -> None:
    """Make ``found`` anew at ``target``.

    Args:
        made_at: the folder that it was found below, by the name that it had when links were made.
    """
    if found.kind == FOLDER:
        os.mkdir(target)
    elif found.kind == LINK:
        make_link(_elsewhere(found, made_at), target)
    else:
        clone_or_copy(found.path, target)


def _elsewhere(link: Found, made_at: Path | None) -> str:
    """What a link has to say in a copy of its folder."""
    text = os.readlink(link.path)
    inner = os.path.dirname(link.name)
    if not os.path.isabs(text) and not _leads_out(os.path.join(inner, text)):
        return text
    root = link.path[: -len(link.name)]
    place = os.path.normpath(os.path.join(root, inner, text))
    for top in (root, made_at or root):
        below = os.path.relpath(_real(place), os.path.realpath(top))
        if not _leads_out(below):
            return os.path.relpath(below, inner or ".")
    return place


def _leads_out(path: str) -> bool:
    return os.path.normpath(path).split(os.sep)[0] == os.pardir


def _real(path: str) -> str:
    """Without the links on the way; what it names at its end may be one, or nothing."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
