"""What history takes in all, known without a look at every entry: each that is made is added.

The sum is trusted as long as the folders of history are as they were when it was noted, so whatever
else comes or goes has all entries counted anew. So does every hundredth run: what two processes do
within one tick of a file system's clock could be missed.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from alo.files import write_whole
from alo.history.entries.tree import FOLDER, found_below
from alo.json_text import json_file
from alo.layout import KINDS, Workspace

LARGE_FILE = 1_000_000  # bytes; smaller ones are counted with each entry that links to them
MOST_ADDED = 100

Stamps = list[list[int]]


def stamps(workspace: Workspace) -> Stamps:
    """What changes when an entry comes or goes, of each folder of history."""
    return [_stamp(workspace.history / kind) for kind in KINDS]


def known_total(workspace: Workspace) -> int | None:
    """The bytes of all entries; None: they have to be counted."""
    return _read(workspace, stamps(workspace))[0]


def has_room(workspace: Workspace, size_mb: float) -> bool:
    """Whether all entries are known to take no more than this, in 10^6 bytes."""
    total = known_total(workspace)
    return total is not None and total <= size_mb * 1_000_000


def add_to_total(workspace: Workspace, before: Stamps, entry: Path) -> None:
    """Note that an entry has been made.

    Args:
        before: the stamps from before anything of it was there.
    """
    total, added = _read(workspace, before)
    if total is not None:
        own_bytes, linked = bytes_of(entry)
        _note(workspace, total + own_bytes + sum(linked.values()), added + 1)


def note_total(workspace: Workspace, total: int) -> None:
    """Note what all entries take, which have just been counted."""
    _note(workspace, total, 0)


def bytes_of(entry: Path) -> tuple[int, dict[str, int]]:
    """What an entry takes, and apart from that its large files that have other names as well.

    Returns:
        bytes; device and inode of such a file → its bytes.
    """
    own, linked = 0, {}
    for found in found_below(entry):
        status = os.lstat(found.path)
        if found.size >= LARGE_FILE and status.st_nlink > 1:
            linked[f"{status.st_dev}:{status.st_ino}"] = status.st_size
        elif found.kind != FOLDER:
            own += status.st_size
    return own, linked


def _read(workspace: Workspace, seen: Stamps) -> tuple[int | None, int]:
    """The sum and how many entries were added to it, if it was noted when all was as ``seen``."""
    try:
        noted = json_file(workspace.history_total)
        if noted["stamps"] == seen and noted["added"] < MOST_ADDED:
            return int(noted["total"]), int(noted["added"])
    except (OSError, ValueError, TypeError, LookupError):
        pass
    return None, 0


def _note(workspace: Workspace, total: int, added: int) -> None:
    note = {"total": total, "added": added, "stamps": stamps(workspace)}
    with suppress(OSError):  # a cache: it will be made again
        write_whole(workspace.history_total, json.dumps(note).encode(), durable=False)


def _stamp(folder: Path) -> list[int]:
    try:
        status = os.stat(folder)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_ctime_ns, status.st_nlink, status.st_size]
