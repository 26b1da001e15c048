"""Keep ``history/`` within the plan's ``backup_size``: the oldest runs go first (spec 8).

It runs after each run, so what an entry takes is looked up once and kept in a ledger; before an
entry goes, it is measured anew.
"""

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.files import write_whole
from alo.history.folders import put_away, read_record
from alo.history.names import FAILED, entry_names
from alo.history.tree import found_below
from alo.json_text import json_value
from alo.layout import KINDS, Workspace

LARGE_FILE = 1_000_000  # bytes; smaller ones are counted with each entry that links to them
LEDGER = "history-sizes.json"


class Size(NamedTuple):
    """What an entry takes. Files that may also be linked to by others are listed apart."""

    start_time: str
    own_bytes: int
    linked: Mapping[str, int]  # device and inode -> bytes


def keep_within(workspace: Workspace, size_mb: float, protected: Collection[str]) -> list[str]:
    """Remove the oldest runs until history takes no more than this; returns their ids.

    The newest run stays, whatever its size. An entry that cannot be removed stays as well: a run
    that has succeeded does not fail for that.

    Args:
        size_mb: in 10^6 bytes.
        protected: ids of runs that stay.
    """
    ledger = _Ledger(workspace)
    limit = size_mb * 1_000_000
    removed = []
    for name in ledger.oldest_first()[:-1] if ledger.total > limit else ():
        if ledger.total <= limit:
            break
        folder = workspace.history / name
        run_id = folder.name.removesuffix(FAILED)
        if {run_id, folder.name} & set(protected):
            continue
        ledger.measure(name)
        if ledger.total > limit and _remove(folder):
            ledger.drop(name)
            removed.append(run_id)
    ledger.save()
    return removed


class _Ledger:
    """The sizes of all entries, by ``<kind>/<folder name>``, and their sum."""

    def __init__(self, workspace: Workspace) -> None:
        self._history = workspace.history
        self._file = workspace.internal / LEDGER
        self._sizes: dict[str, Size] = {}
        self._links: dict[str, int] = {}  # how many entries hold a linked file
        self.total = 0
        self._known = _read(self._file)
        for kind in KINDS:
            for name in entry_names(self._history / kind):
                self._include(f"{kind}/{name}")

    def _include(self, name: str) -> None:
        size = self._known.get(name)
        if size is None:
            self.measure(name)
        else:
            self._add(name, size)

    def measure(self, name: str) -> None:
        """Look at the entry itself."""
        self.drop(name)
        with suppress(OSError):  # removed meanwhile, or no entry at all
            self._add(name, _size(self._history / name))

    def _add(self, name: str, size: Size) -> None:
        self._sizes[name] = size
        self.total += size.own_bytes
        for file, count in size.linked.items():
            self._links[file] = self._links.get(file, 0) + 1
            if self._links[file] == 1:
                self.total += count

    def drop(self, name: str) -> None:
        size = self._sizes.pop(name, None)
        if size is None:
            return
        self.total -= size.own_bytes
        for file, count in size.linked.items():
            self._links[file] -= 1
            if self._links[file] == 0:
                self.total -= count

    def oldest_first(self) -> list[str]:
        return sorted(self._sizes, key=lambda name: (self._sizes[name].start_time, name))

    def save(self) -> None:
        if self._sizes != self._known:
            with suppress(OSError):  # a cache: it will be made again
                write_whole(self._file, json.dumps(self._sizes).encode(), durable=False)


def _remove(folder: Path) -> bool:
    try:
        put_away(folder)
    except OSError:
        return False
    return True


def _size(entry: Path) -> Size:
    own, linked = 0, {}
    for found in found_below(entry):
        status = os.lstat(found.path)
        if found.size >= LARGE_FILE and status.st_nlink > 1:
            linked[f"{status.st_dev}:{status.st_ino}"] = status.st_size
        elif found.kind != "folder":
            own += status.st_size
    return Size(read_record(entry).start_time, own, linked)


def _read(file: Path) -> dict[str, Size]:
    try:
        content = json_value(file.read_bytes())
        return {name: _as_size(*each) for name, each in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _as_size(start_time: str, own_bytes: int, linked: Mapping[str, int]) -> Size:
    return Size(str(start_time), int(own_bytes), {name: int(n) for name, n in linked.items()})
