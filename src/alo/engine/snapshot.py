"""A copy of the code that a run is made with: an editor may write while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

LARGEST_COPY = 8_000_000  # bytes; what is larger is data that lies beside the code, and is linked


def snapshot(files: Mapping[str, Path], target: Path) -> dict[str, Path]:
    """Copy the files (name → path) below ``target``; returns name → copy."""
    copies: dict[str, Path] = {}
    made: set[Path] = set()
    for name, path in files.items():
        copy = target / name
        if copy.parent not in made:
            copy.parent.mkdir(parents=True, exist_ok=True)
            made.add(copy.parent)
        _copy(path, copy)
        copies[name] = copy
    return copies


def _copy(path: Path, copy: Path) -> None:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_COPY and _link(path, copy):
            return
        with open(copy, "wb") as target:
            while content := file.read(LARGEST_COPY):
                target.write(content)


def _link(path: Path, copy: Path) -> bool:
    try:
        copy.unlink(missing_ok=True)
        os.link(path, copy)
    except OSError:  # another file system
        return False
    return True
