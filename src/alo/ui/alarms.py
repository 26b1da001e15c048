"""The alarms of a project: as its plan asks for them, and as its services have noted them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from alo.alarms.ledger import NOTHING, Crossing, Ledger, read_ledger
from alo.errors import HistoryError, PlanError
from alo.layout import Workspace, find_plan
from alo.plan.load import load_plan
from alo.plan.model import Alarm

NO_ALARM = Alarm()


class Noted(NamedTuple):
    """What is known of them now."""

    alarm: Alarm  # of the plan; it watches nothing where the plan has none
    ledger: Ledger
    problem: str = ""  # why what services have noted cannot be read

    def between(self, first: str, last: str) -> Sequence[Crossing]:
        """Those from one moment until before another, the newest first; empty: without end."""
        found = (
            each
            for each in self.ledger.crossings
            if each.time >= first and (not last or each.time < last)
        )
        return sorted(found, key=lambda each: each.time, reverse=True)


def alarms_of(workspace: Workspace) -> Noted:
    """The alarms of a project."""
    alarm = _alarm_of_plan(workspace)
    try:
        return Noted(alarm, read_ledger(workspace))
    except HistoryError as error:
        return Noted(alarm, NOTHING, error.what)


def _alarm_of_plan(workspace: Workspace) -> Alarm:
    path = find_plan(workspace.home)
    try:
        status = path.stat()
    except OSError:
        return NO_ALARM
    return _read(path, workspace.home, status.st_mtime_ns, status.st_size)


@lru_cache(8)
def _read(path: Path, home: Path, mtime_ns: int, size: int) -> Alarm:
    """That of a plan as it is now; one that is broken asks for none until it is mended."""
    try:
        return load_plan(path, home=home).alarm or NO_ALARM
    except PlanError:
        return NO_ALARM
