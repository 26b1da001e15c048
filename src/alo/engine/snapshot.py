"""A copy of the code that a run is made with: an editor may write while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

LARGEST_COPY = 8_000_000  # bytes; what is larger is data that lies beside the code, and is linked


def snapshot(files: Mapping[str, Path], target: Path) -> dict[str, Path]:
    """Copy the files (name → path) into ``target``; returns name → copy.

    All lie in the one folder, under names of no meaning: folders cost more than files.
    """
    target.mkdir(exist_ok=True)
    copies = {name: target / os.urandom(8).hex() for name in files}
    for name, copy in copies.items():
        _copy(files[name], copy)
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
