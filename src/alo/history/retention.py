"""Keep ``history/`` within the plan's ``backup_size``: the oldest runs go first (spec 8).

It runs after each run. While there is room, a sum is all that is looked at (``tally``); else what
each entry takes, which is looked up once and kept in a ledger. Before an entry goes, it is measured
anew.
"""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from alo.files import write_whole
from alo.history.entries.folders import put_away, sweep
from alo.history.entries.names import FAILED, entry_names, read_record
from alo.history.entries.tally import bytes_of, has_room, note_total
from alo.json_text import json_file
from alo.layout import KINDS, Workspace
from alo.named_tuples import NamedTuple

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
    if has_room(workspace, size_mb):
        return []
    limit = size_mb * 1_000_000
    is_quiet = all([sweep(workspace.history / kind) for kind in KINDS])
    ledger = _Ledger(workspace)
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
    if is_quiet:  # else what is being built now is to be swept next time, should it be left
        note_total(workspace, ledger.total)
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
    return Size(read_record(entry).start_time, *bytes_of(entry))


def _read(file: Path) -> dict[str, Size]:
    try:
        content = json_file(file)
        return {name: _as_size(*each) for name, each in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _as_size(start_time: str, own_bytes: int, linked: Mapping[str, int]) -> Size:
    return Size(str(start_time), int(own_bytes), {name: int(n) for name, n in linked.items()})
