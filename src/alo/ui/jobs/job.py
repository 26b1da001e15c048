"""One run that somebody has asked for in the studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

QUEUED, RUNNING, SUCCESS, ERROR, CANCELLED = STATES = (
    "queued",
    "running",
    "success",
    "error",
    "cancelled",
)
OPEN = (QUEUED, RUNNING)


class Job(NamedTuple):
    """A job as it is stored; times are UTC, empty while there are none."""

    number: int  # in the order of the queue
    id: str
    state: str
    command: Sequence[str]  # the words after ``alo``
    pipeline: str  # train, inference or all
    by: str
    queued: str
    started: str = ""
    ended: str = ""
    exit_status: int | None = None
    run: str = ""  # the id of its run, once that has begun

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in OPEN

    def to_json(self) -> Mapping[str, object]:
        """As the pages give it to scripts."""
        return {**self._asdict(), "command": ["alo", *self.command]}
