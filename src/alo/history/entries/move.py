"""Moves an entry from the history of one workspace to that of another."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from alo.copies import clone_or_copy, copy_folder
from alo.history.entries.folders import building


def move_entry(entry: Path, folder: Path, name: str = "") -> Path:
    """Move it, whole or not at all, also to another disk; returns where it is then.

    Args:
        folder: the history of one pipeline.
        name: that it has then, if it is another one.
    Raises:
        OSError: it cannot be moved; it is where it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (name or entry.name)
    try:
        os.rename(entry, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with building(folder, target.name) as build:  # .alo/ is on another disk
            for each in entry.iterdir():
                (copy_folder if each.is_dir() else clone_or_copy)(each, build / each.name)
    return target
