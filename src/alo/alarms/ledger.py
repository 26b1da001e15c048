"""What is noted of the alarms of a project: which are raised, what was reported, what is to be.

``solution/alarms.json`` is written by services, each change under a lock, and read by the studio.
An alarm that is raised or ends is noted before anyone is called, with an id that stays the same
however often the call is repeated; so no crossing is lost by a crash, and none has two ids.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from alo.alarms.watch import RAISED, Change, Window
from alo.errors import HistoryError
from alo.files import alone_with, write_whole
from alo.json_text import json_bytes, json_file
from alo.layout import Workspace

NAME = "alarms.json"
FORMAT = 1
MOST_BYTES = 50_000_000  # of the file
LOCK_S = 3.0  # that others may keep it locked: a stopped process must not stop services, too
WAITING, DELIVERED, FAILED, UNSENT = "waiting", "delivered", "failed", "to no one"
MOST_KEPT = 200  # crossings that are to be reported to no one any more
MOST_WAITING = 100  # that are to be reported
CROWDED = "too many others waited to be delivered"
T = TypeVar("T")


class Crossing(NamedTuple):
    """An alarm that was raised or has ended, and what became of the call."""

    id: str
    alarm: str
    state: str  # raised or ended
    value: float
    limit: float
    requests: int  # that it is about
    project: str
    time: str  # UTC
    delivery: str = WAITING  # or delivered, failed, to no one
    tries: int = 0
    reason: str = ""  # why the last try has failed

    @property
    def body(self) -> Mapping[str, object]:
        """What a command or a URL is sent."""
        return {
            "id": self.id,
            "alarm": self.alarm,
            "state": self.state,
            "value": self.value,
            "limit": self.limit,
            "count": self.requests,
            "project": self.project,
            "time": self.time,
        }

    def to_json(self) -> dict[str, object]:
        """As lists have it: what was sent, and what became of it."""
        return {**self.body, "delivery": self.delivery, "reason": self.reason}


class Ledger(NamedTuple):
    """All that is noted."""

    raised: Mapping[str, Crossing] = {}  # that are raised now, by their names
    crossings: tuple[Crossing, ...] = ()  # the last ones, the newest last
    raised_total: Mapping[str, int] = {}  # how often each was raised
    failed_total: Mapping[str, int] = {}  # calls that were given up, by alarm
    window: Window = Window()

    @property
    def raised_now(self) -> Sequence[Crossing]:
        """Those that are raised, the newest first, with what became of their calls."""
        known = {each.id: each for each in self.crossings}
        now = (known.get(each.id, each) for each in self.raised.values())
        return sorted(now, key=lambda each: each.time, reverse=True)

    @property
    def waiting(self) -> tuple[Crossing, ...]:
        """Those that are still to be reported to someone, in order."""
        return tuple(each for each in self.crossings if each.delivery == WAITING)

    def with_changes(
        self, changes: Iterable[Change], window: Window, project: str, now: str, *, is_sent: bool
    ) -> Ledger:
        """After these changes, each of which gets its id.

        Args:
            now: in UTC.
            is_sent: whether there is someone to notify.
        """
        raised, total = dict(self.raised), dict(self.raised_total)
        crossings = list(self.crossings)
        for change in changes:
            crossing = Crossing(os.urandom(8).hex(), *change, project, now)
            crossings.append(crossing._replace(delivery=WAITING if is_sent else UNSENT))
            raised.pop(change.alarm, None)
            if change.state == RAISED:
                raised[change.alarm] = crossing
                total[change.alarm] = total.get(change.alarm, 0) + 1
        after = self._replace(
            raised=raised, crossings=tuple(crossings), raised_total=total, window=window
        )
        for crowded in after.waiting[:-MOST_WAITING]:
            after = after.with_call(crowded.id, FAILED, CROWDED)
        over = [each.id for each in after.crossings if each.delivery != WAITING][:-MOST_KEPT]
        left = tuple(each for each in after.crossings if each.id not in over)
        return after._replace(crossings=left)

    def with_call(self, crossing_id: str, delivery: str, reason: str = "") -> Ledger:
        """After a call that has come to this."""
        found = next((each for each in self.crossings if each.id == crossing_id), None)
        if found is None or found.delivery != WAITING:
            return self
        failed = dict(self.failed_total)
        if delivery == FAILED:
            failed[found.alarm] = failed.get(found.alarm, 0) + 1
        done = found._replace(delivery=delivery, reason=reason)
        return self._with(done)._replace(failed_total=failed)

    def with_try(self, crossing_id: str) -> Ledger:
        """Before a call: it is counted, should it end us."""
        found = next(each for each in self.crossings if each.id == crossing_id)
        return self._with(found._replace(tries=found.tries + 1))

    def watching(self, alarms: Collection[str], *, is_sent: bool) -> Ledger:
        """Only these alarms are watched from now on: none of the others stays raised.

        Args:
            is_sent: whether there is someone to notify; else no crossing waits any more.
        """
        raised = {name: each for name, each in self.raised.items() if name in alarms}
        after = self._replace(raised=raised)
        for each in () if is_sent else self.waiting:
            after = after._with(each._replace(delivery=UNSENT))
        return after

    def _with(self, crossing: Crossing) -> Ledger:
        crossings = [crossing if each.id == crossing.id else each for each in self.crossings]
        return self._replace(crossings=tuple(crossings))


NOTHING = Ledger()


def read_ledger(workspace: Workspace) -> Ledger:
    """What is noted; nothing where no service has watched for alarms.

    Raises:
        HistoryError: the file is damaged, or of a newer ALO.
    """
    path = ledger_path(workspace)
    try:
        return _from_json(json_file(path, most=MOST_BYTES))
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise HistoryError(
            f"what is noted of alarms cannot be read: {error}",
            where=str(path),
            fix="move the file away: services begin a new one",
        ) from error


def change_ledger(workspace: Workspace, change: Callable[[Ledger], Ledger]) -> Ledger:
    """Read, change and write what is noted, one process at a time; returns what is written.

    A change of the window alone need not survive a power loss; a crossing has to.

    Raises:
        HistoryError: the file is damaged.
        OSError: it cannot be written, or another process keeps it locked.
    """
    path = ledger_path(workspace)
    path.parent.mkdir(exist_ok=True)
    with alone_with(path.parent, LOCK_S):
        before = read_ledger(workspace)
        after = change(before)
        if after != before:
            is_lasting = after.crossings != before.crossings
            write_whole(path, json_bytes(_to_json(after)) + b"\n", durable=is_lasting)
    return after


def ledger_path(workspace: Workspace) -> Path:
    """The file; it is not below ``.alo/``, which may be deleted at any time."""
    return workspace.home / "solution" / NAME


def ledger_stamp(workspace: Workspace) -> tuple[int, int, int]:
    """Differs once the file does."""
    try:
        status = ledger_path(workspace).stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)


def _to_json(ledger: Ledger) -> dict[str, object]:
    return {
        "format": FORMAT,
        "raised": {name: each._asdict() for name, each in ledger.raised.items()},
        "crossings": [each._asdict() for each in ledger.crossings],
        "raised_total": ledger.raised_total,
        "failed_total": ledger.failed_total,
        "window": ledger.window._asdict(),
    }


def _from_json(content: Mapping[str, object]) -> Ledger:
    number = content.get("format")
    if number != FORMAT:
        raise ValueError(f"it has the format {number!r}; this ALO writes {FORMAT}")
    window = _of(content, "window", dict)
    return Ledger(
        {name: Crossing(**each) for name, each in _of(content, "raised", dict).items()},
        tuple(Crossing(**each) for each in _of(content, "crossings", list)),
        _of(content, "raised_total", dict),
        _of(content, "failed_total", dict),
        Window(
            tuple(map(float, _of(window, "scores", list))),
            tuple(map(bool, _of(window, "failures", list))),
            tuple(map(dict, _of(window, "mixes", list))),
            _of(window, "model", str),
        ),
    )


def _of(content: Mapping[str, object], key: str, kind: type[T]) -> T:
    found = content[key]
    if not isinstance(found, kind):
        raise TypeError(f"'{key}' is no {kind.__name__}")
    return found
