"""One command that somebody has asked for in the studio: a run, a data set, a candidate."""

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
RUN, DATASET, RETRAIN, REVIEW = "run", "dataset", "retrain", "review"  # a command's first word
HELD, HELD_STATUS = "held", 3  # of a candidate that the gate holds: no error


class Job(NamedTuple):
    """A job as it is stored; times are UTC, empty while there are none."""

    number: int  # in the order of the queue
    id: str
    state: str
    command: Sequence[str]  # the words after ``alo``
    pipeline: str  # train, inference or all; empty: it is no run
    by: str
    queued: str
    started: str = ""
    ended: str = ""
    exit_status: int | None = None
    run: str = ""  # the id of its run, once that has begun; or of the candidate
    made: str = ""  # the data set, NAME@V, or the review

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in OPEN

    @property
    def kind(self) -> str:
        """What it makes: run, dataset, retrain or review."""
        return self.command[0]

    @property
    def is_light(self) -> bool:
        """Whether it runs nothing, and so waits for no run."""
        return self.kind == REVIEW

    @property
    def is_held(self) -> bool:
        """Whether it has made a candidate that the gate holds."""
        return self.state == SUCCESS and self.exit_status == HELD_STATUS

    @property
    def shown_state(self) -> str:
        """As people read it."""
        return HELD if self.is_held else self.state

    def to_json(self) -> Mapping[str, object]:
        """As the pages give it to scripts."""
        return {**self._asdict(), "command": ["alo", *self.command], "held": self.is_held}
