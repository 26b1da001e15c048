"""What happens in a run, as a stream of values: the console, the log files and any UI listen to it.

Value types here are NamedTuples: as immutable as frozen dataclasses, at a fifth of the import time.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from alo.named_tuples import NamedTuple
from alolib.messages import LogLine

__all__ = [
    "BatchFinished",
    "CommandFailed",
    "Event",
    "LeftOut",
    "Listener",
    "LogLine",
    "Output",
    "Progress",
    "RunFinished",
    "RunStarted",
    "SettingUp",
    "ShardFinished",
    "ShardStarted",
    "StepFinished",
    "StepStarted",
    "SweepFinished",
    "TrialFinished",
    "TrialStarted",
]


class RunStarted(NamedTuple):
    """A run has its id and its place in the workspace; its data comes next."""

    run_id: str
    pipeline: str  # train or inference
    steps: tuple[str, ...]
    solution: str


class SettingUp(NamedTuple):
    """Code is fetched, or packages are installed."""

    text: str


class StepStarted(NamedTuple):
    """A step begins."""

    step: str
    number: int  # from 1
    total: int


class StepFinished(NamedTuple):
    """A step has ended, or its result was taken from the cache."""

    step: str
    number: int
    total: int
    status: str  # success, error or cached
    seconds: float
    cpu_seconds: float
    peak_bytes: int  # of the process while the step ran; 0 where the system does not say
    keys_added: tuple[str, ...]  # data keys that this step was the first to save
    note: str = ""  # "cached", or why an earlier result does not replace the step


class Output(NamedTuple):
    """Text that an asset printed; pieces as they came, not lines."""

    stream: str  # stdout or stderr
    text: str


class Progress(NamedTuple):
    """How far long work is."""

    task: str
    done: int
    total: int | None
    unit: str  # B for bytes, or what is counted


class RunFinished(NamedTuple):
    """The last event of a run."""

    run_id: str
    pipeline: str
    status: str  # success, error or interrupted
    seconds: float
    summary: Mapping[str, object] | None
    artifacts: str
    history: str  # the entry's folder; empty if there is none
    exported: tuple[str, ...] = ()


class LeftOut(NamedTuple):
    """What a run's events had no more room for since this was last reported; the logs have it."""

    events: int
    characters: int  # of what was printed and logged


class CommandFailed(NamedTuple):
    """Why the command ends without success; of all that ``--json`` prints the last."""

    what: str
    where: str
    fix: str
    traceback: str  # of the user's code; empty where it is not at fault
    exit_status: int


class TrialStarted(NamedTuple):
    """A trial of a sweep begins."""

    trial: int  # from 0
    args: Mapping[str, object]  # STEP.KEY → value


class TrialFinished(NamedTuple):
    """A trial of a sweep has ended."""

    trial: int
    state: str  # complete, failed, duplicate, ...
    values: Mapping[str, object]  # metric → number
    seconds: float
    run_id: str
    error: str = ""


class SweepFinished(NamedTuple):
    """A sweep has ended, or stops here for now."""

    name: str
    counts: Mapping[str, object]  # state → trials
    best: tuple[Mapping[str, object], ...]  # trial, values, args, run_id; the best first


class ShardStarted(NamedTuple):
    """A shard of a batch, or a half of one, begins."""

    shard: str  # its name, such as 0012, or 0012.1 for a half
    rows: int | None  # None: whole files, whose rows are not known
    attempt: int  # from 1


class ShardFinished(NamedTuple):
    """A shard of a batch, or a half of one, has ended."""

    shard: str
    state: str  # done, failed, split or interrupted
    attempts: int
    seconds: float
    error: str = ""


class BatchFinished(NamedTuple):
    """A batch has ended, or stops here for now."""

    batch: str  # its name
    run_id: str  # the run that it is in history; empty: it is none yet
    status: str  # complete, incomplete, failed or interrupted
    rows_in: int | None  # None: whole files, whose rows are not known
    rows_out: int
    rows_failed: int  # or files, where whole files were cut
    shards: Mapping[str, object]  # total, done, failed and reused
    output: str  # the table, or the folder of the images; empty: there is none yet


Event: TypeAlias = (
    SettingUp
    | RunStarted
    | StepStarted
    | StepFinished
    | LogLine
    | Output
    | Progress
    | RunFinished
    | LeftOut
    | CommandFailed
    | TrialStarted
    | TrialFinished
    | SweepFinished
    | ShardStarted
    | ShardFinished
    | BatchFinished
)
Listener: TypeAlias = Callable[[Event], None]
