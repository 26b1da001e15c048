"""A copy of the code that a run is made with: an editor may write while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alo.copies import clone_or_link, copy_and_hash
from alo.files import checksum

LARGEST_COPY = 8_000_000  # bytes; what is larger is data that lies beside the code, and is linked


def snapshot(files: Mapping[str, Path], target: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Copy the files (name → path) into ``target``.

    All lie in the one folder, under names of no meaning: folders cost more than files.

    Returns:
        name → copy, and name → checksum.
    """
    target.mkdir(exist_ok=True)
    copies = {name: target / os.urandom(8).hex() for name in files}
    return copies, {name: _copy(files[name], copy) for name, copy in copies.items()}


def _copy(path: Path, copy: Path) -> str:
    if path.stat().st_size <= LARGEST_COPY:
        return copy_and_hash(path, copy)
    clone_or_link(path, copy)
    return checksum(copy)
