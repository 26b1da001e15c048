"""What goes to an executor, what comes back, and what an executor is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from alo.events.envelope import Envelope
from alo.history.ids import utc_text
from alo.history.record import Attempt, RunRecord
from alo.plan.model import Resources
from alolib.pruning import Pruner

RUN, TRIAL, SHARD = "run", "trial", "shard"
SUCCESS, ERROR, INTERRUPTED, TIMEOUT = "success", "error", "interrupted", "timeout"
OOM, PRUNED, LOST = "oom", "pruned", "lost"
SCORE = "score"  # of the metrics of a run: as it was given to save_summary, without rounding

Args: TypeAlias = Mapping[str, Mapping[str, Mapping[str, object]]]  # pipeline → step → key → value
NO_ARGS: Args = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One pipeline run, or a train run and the inference with its model.

    Folders are named by the digests that a ``Depot`` gave them; whoever makes tasks has put them
    there. What is empty is the project's own, as ``alo run`` would take it.
    """

    id: str
    kind: str  # run, trial or shard
    pipelines: tuple[str, ...]  # in their order
    project: str = ""  # digest of a snapshot of the project; empty: as the executor was given it
    args: Args = field(default_factory=lambda: NO_ARGS)
    inputs: Mapping[str, str] = field(default_factory=dict)  # pipeline → digest of its input data
    model: str = ""  # digest of the models folder that an inference uses
    train_id: str = ""  # the run that has made that model; empty: none is known
    attempt: int = 1
    timeout_s: float | None = None
    sweep: Mapping[str, object] = field(default_factory=dict)  # of a trial: for its record
    resources: Resources = field(default_factory=Resources)  # that it asks for
    pruner: Pruner | None = None  # that may end it early


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDone:
    """How one run of a task has ended; it is in history then."""

    run_id: str
    pipeline: str
    status: str  # as in history
    seconds: float
    score: float | None = None  # as it was given to save_summary
    metrics: Mapping[str, float] = field(default_factory=dict)
    probability: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    result: str = ""  # of save_summary, as is the note
    note: str = ""

    @classmethod
    def of(cls, record: RunRecord) -> RunDone:
        """What the result of a task says of a run that is in history."""
        return cls(
            run_id=record.id,
            pipeline=record.pipeline,
            status=record.status,
            seconds=record.seconds,
            score=record.metrics.get(SCORE, record.score),
            metrics={name: each for name, each in record.metrics.items() if name != SCORE},
            probability=record.probability,
            reason=record.reason,
            result=record.result,
            note=record.note,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a task has ended."""

    status: str  # success, error, interrupted, timeout, oom or pruned
    runs: tuple[RunDone, ...] = ()
    error: str = ""  # what is wrong, where, and how to mend it
    # What it has made, on this machine and in no history. Of a shard: a folder like that of a run
    # in history. Of a run: <pipeline>/entry/<name in history>/, and <pipeline>/artifacts/ where it
    # has succeeded. It is the caller's until the executor is closed: rename it to where it stays.
    output: Path | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a run of the task."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of what the task prints that is in no event."""

    stream: str  # stdout or stderr
    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Whoever did the task is gone, for no fault of the task's: it may be tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The task has ended; nothing more of it comes."""

    result: Result


TaskEvent: TypeAlias = RunEvent | Chunk | Lost | Done


def handle_of(task: Task) -> str:
    """How an executor of ours calls one try of a task."""
    return f"{task.id}.{task.attempt}"


def lost_attempt(node: str, began: float) -> Attempt:
    """A try that is lost now, as the record of a later one has it.

    Args:
        began: seconds since 1970.
    """
    return Attempt(node, utc_text(began), utc_text(time.time()), LOST)


class Executor(Protocol):
    """Runs tasks, as many at once as it has capacity for; used by one thread."""

    def capacity(self) -> int:
        """How many tasks it runs at once."""

    def submit(self, task: Task) -> str:
        """Take a task, without waiting for anything; returns its handle."""

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        """What happens, as it happens, in order within a task, until all tasks have ended.

        More may be submitted meanwhile. ``Lost`` and ``Done`` are the last of a handle.
        """

    def cancel(self, handle: str, grace_s: float) -> None:
        """End a task: in order if it does so in time, else at once; its ``Done`` comes then."""

    def close(self) -> None:
        """End whatever still runs, and remove what was made for it."""
