"""The events of a run, wherever they are: of one in progress in another process, as they come.

Whether a run is in progress is known from its claim, which ends with its process; never from a PID.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

from alo.events.journal import EVENTS_LOG
from alo.events.stored import DamagedLine, StoredEvent, StoredEvents, first_run
from alo.history.entries.names import FAILED, entry_folder, entry_names
from alo.history.in_use import unfinished_record
from alo.layout import KINDS, Workspace

POLL_S = 0.1
LOOK_S = 1.0  # how often it is looked whether the run is in progress


class Run(NamedTuple):
    """Which run."""

    id: str
    pipeline: str  # train or inference


def running(workspace: Workspace) -> Run | None:
    """The run in progress in the project, in whichever process."""
    record = unfinished_record(workspace)
    if record is None or record.status != "running":
        return None
    return Run(record.id, record.pipeline)


def wait_for_run(workspace: Workspace) -> Run:
    """The next run that begins; one that has ended again before it was seen counts."""
    left = unfinished_record(workspace)  # of a killed one the next run makes an entry first
    known = {left.id} if left is not None else set()
    folders = [_Entries(workspace, kind) for kind in KINDS]
    while True:
        run = running(workspace) or next(filter(None, (each.new(known) for each in folders)), None)
        if run is not None:
            return run
        sleep(POLL_S)


def events_file(workspace: Workspace, run: Run) -> Path | None:
    """Where the events of a run are; None: there are none, or none yet."""
    entry = entry_folder(workspace, run.pipeline, run.id) / "log" / EVENTS_LOG
    if entry.is_file():
        return entry
    # It may be another run's: until a run has begun, what it replaces is where its own will be.
    live = workspace.artifacts(run.pipeline) / "log" / EVENTS_LOG
    return live if first_run(live) == run.id else None


def follow(
    workspace: Workspace, run: Run, since: int = 0, *, to_its_end: bool = True
) -> Iterator[StoredEvent | DamagedLine]:
    """The events of a run from ``since`` on, whether it is in progress or has ended.

    The last one is that of its end, unless the run was killed and is not in history yet, or has no
    events at all: an earlier version made it, or its plan keeps no logs.

    Args:
        to_its_end: wait for those that are still to come.
    """
    events, continues, looked = None, to_its_end, -LOOK_S
    try:
        while True:
            if continues and monotonic() - looked >= LOOK_S:
                continues, looked = running(workspace) == run, monotonic()
            events = events or _open(workspace, run, since)
            for each in events.new() if events else ():
                yield each
                if isinstance(each, StoredEvent):
                    since = each.sequence + 1
                    if each.is_last:
                        return
            if not continues:  # as was known before the last of them were read
                break
            sleep(POLL_S)
    finally:
        if events is not None:
            events.close()
    if (entry := _open(workspace, run, since)) is not None:  # which was made since
        with entry:
            yield from (each for each in entry.new() if isinstance(each, StoredEvent))


def _open(workspace: Workspace, run: Run, since: int) -> StoredEvents | None:
    path = events_file(workspace, run)
    with suppress(OSError):  # it has just been moved
        return StoredEvents(path, since) if path else None
    return None


class _Entries:
    """The entries of one kind in history, of which new ones are looked for."""

    def __init__(self, workspace: Workspace, kind: str) -> None:
        self._folder, self._kind = workspace.history / kind, kind
        self._stamp, self._known = self._stamp_now(), set(entry_names(self._folder))

    def new(self, but: set[str]) -> Run | None:
        """The first that was made since; of some runs none is looked for."""
        if (stamp := self._stamp_now()) == self._stamp:  # a list of ten thousand takes its time
            return None
        self._stamp = stamp
        names = set(entry_names(self._folder)) - self._known
        self._known |= names
        ids = sorted({name.removesuffix(FAILED) for name in names} - but)
        return Run(ids[0], self._kind) if ids else None

    def _stamp_now(self) -> tuple[int, int]:
        with suppress(OSError):
            status = self._folder.stat()
            return status.st_mtime_ns, status.st_nlink
        return 0, 0
