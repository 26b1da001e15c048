"""A folder by pages: only the files of the page are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MOST_SEARCHED = 100_000  # files of a run that a search looks at


class Entry(NamedTuple):
    """What a folder has in it."""

    path: str  # relative to the run's folder
    size: int | None  # None: a folder


class FolderPage(NamedTuple):
    """Some of its entries, folders first."""

    entries: list[Entry]
    total: int


def folder_page(root: Path, folder: str, first: int, count: int, search: str) -> FolderPage:
    """Entries of a folder, by name; links are left out.

    Args:
        folder: relative to the run's; it is in it.
        search: a text: all files below that have it in their paths.
    Raises:
        OSError: it cannot be read.
    """
    if search:
        found = sorted(path for path in _below(root, folder) if search in path.lower())
        return FolderPage([_entry(root, path) for path in found[first : first + count]], len(found))
    folders, files = _names(root / folder)
    paths = [f"{folder}/{name}" if folder else name for name in (*folders, *files)]
    shown = range(first, min(first + count, len(paths)))
    entries = [
        Entry(paths[at], None) if at < len(folders) else _entry(root, paths[at]) for at in shown
    ]
    return FolderPage(entries, len(paths))


def names_beside(path: Path) -> list[str]:
    """The names of the files of a folder."""
    with suppress(OSError):
        return _names(path)[1]
    return []


def _names(folder: Path) -> tuple[list[str], list[str]]:
    """Of folders and of files, each sorted."""
    folders, files = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                files.append(entry.name)
    return sorted(folders), sorted(files)


def _below(root: Path, folder: str) -> Iterator[str]:
    seen = 0
    for where, _, names in os.walk(root / folder):
        for name in names:
            path = os.path.join(where, name)
            if not os.path.islink(path):
                yield os.path.relpath(path, root)
        seen += len(names)
        if seen > MOST_SEARCHED:
            return


def _entry(root: Path, path: str) -> Entry:
    size = 0
    with suppress(OSError):
        size = (root / path).stat(follow_symlinks=False).st_size
    return Entry(path, size)
