"""A copy of the code that a run is made with: an editor may write while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from alo.copies import copy_and_hash, link
from alo.files import checksum

LARGE = 8_000_000  # bytes; what is larger is data that is next to the code, and seldom changes

Earlier = Callable[[], Mapping[str, Path]]  # files of our own, by checksum


def snapshot(
    files: Mapping[str, str | os.PathLike[str]], target: Path, earlier: Earlier = dict
) -> tuple[dict[str, Path], dict[str, str]]:
    """Copy the files (name → path) into ``target``.

    All are in the one folder, under names of no meaning: folders cost more than files.

    Args:
        earlier: copies that no one writes into; a large file that is the same as one of them is
            a second name of it, so that pretrained weights are on the disk once for all runs.
    Returns:
        name → copy, and name → checksum.
    """
    if not os.path.isdir(target):  # as for each step but the first
        target.mkdir(exist_ok=True)
    copies = {name: target / os.urandom(8).hex() for name in files}
    return copies, {name: _copy(files[name], copy, earlier) for name, copy in copies.items()}


def _copy(path: str | os.PathLike[str], copy: Path, earlier: Earlier) -> str:
    if os.stat(path).st_size > LARGE:
        known, digest = earlier(), checksum(Path(path))
        if digest in known and link(known[digest], copy):
            return digest
    return copy_and_hash(path, copy)
