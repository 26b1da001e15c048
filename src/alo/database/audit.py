"""Every change that somebody made in the studio, or by a command: who, when, before and after."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from alo.database.connection import Connection, Database, marks
from alo.json_text import every_value

Values = Mapping[str, object]
NOTHING: Values = {}
COMMAND = "command"  # in the values of a line: what somebody has typed


class Change(NamedTuple):
    """One line of the audit."""

    number: int
    time: str
    by: str
    act: str  # run, cancel, deploy, rollback, sign-in, user-added, ...
    target: str  # what was changed: a run, a job, a user
    before: Values
    after: Values


class Note(Protocol):
    """Adds a line to an audit, as ``Audit.add``; where there is none, it does nothing."""

    def __call__(
        self, by: str, act: str, target: str, before: Values = NOTHING, after: Values = NOTHING
    ) -> None:
        """Record a change."""


class Audit:
    """The audit in the studio's database: only ever added to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, by: str, act: str, target: str, before: Values = NOTHING, after: Values = NOTHING
    ) -> None:
        """Record a change."""
        with self._database.transaction() as rows:
            add_change(rows, by, act, target, before, after)

    def changes(self, below: int = 0, limit: int = 50) -> Sequence[Change]:
        """The newest first.

        Args:
            below: only those with a smaller number; 0: all.
        """
        condition, values = ("WHERE number < ?", (below,)) if below else ("", ())
        rows = self._database.read(
            "SELECT number, time, person, act, target, before, after FROM audit"  # noqa: S608
            f" {condition} ORDER BY number DESC LIMIT ?",
            (*values, limit),
        )
        return [
            Change(number, moment, by, act, target, json.loads(before), json.loads(after))
            for number, moment, by, act, target, before, after in rows
        ]

    def is_about(self, target: str, acts: Sequence[str]) -> bool:
        """Whether there is a change of this kind of something."""
        statement = f"SELECT 1 FROM audit WHERE target = ? AND act IN ({marks(acts)}) LIMIT 1"  # noqa: S608
        return bool(self._database.read(statement, (target, *acts)))

    def names(self, wanted: str) -> bool:
        """Whether a change is of something, or speaks of it.

        The words of a command do not count: whoever has typed them may have meant what never was.
        """
        needle = re.sub(r"([!%_])", r"!\1", json.dumps(wanted))
        rows = self._database.read(
            "SELECT target, before, after FROM audit WHERE target = ?"
            " OR before LIKE ? ESCAPE '!' OR after LIKE ? ESCAPE '!'",
            (wanted, f"%{needle}%", f"%{needle}%"),
        )
        return any(
            wanted == target
            or any(wanted in every_value(json.loads(each), (COMMAND,)) for each in values)
            for target, *values in rows
        )

    @property
    def count(self) -> int:
        """How many changes there are."""
        return int(self._database.read("SELECT count(*) FROM audit")[0][0])


def add_change(
    rows: Connection,
    by: str,
    act: str,
    target: str,
    before: Values = NOTHING,
    after: Values = NOTHING,
) -> None:
    """Record a change in the transaction that makes it."""
    rows.execute(
        "INSERT INTO audit (time, person, act, target, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        (_now(), by, act, target, json.dumps(before), json.dumps(after)),
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
