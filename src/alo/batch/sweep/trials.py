"""The trials of a sweep, and their record: a line for each change, before what comes next."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alo.batch.line_log import LineLog, newest_first
from alo.batch.records import Records
from alo.batch.sweep.definition import MAX, Definition, Metric
from alo.batch.sweep.space import Values
from alo.errors import SweepError
from alo.files import write_whole
from alo.history.ids import utc_text
from alo.layout import Workspace

WAITING, RUNNING, COMPLETE, FAILED = "waiting", "running", "complete", "failed"
PRUNED, TIMEOUT, OOM, LOST = "pruned", "timeout", "oom", "lost"
INTERRUPTED, DUPLICATE = "interrupted", "duplicate"
STATES = (
    WAITING, RUNNING, COMPLETE, FAILED, PRUNED, TIMEOUT, OOM, LOST, INTERRUPTED, DUPLICATE,
)  # fmt: skip
FAILURES = (FAILED, TIMEOUT, OOM, LOST)
OPEN = (WAITING, RUNNING, INTERRUPTED)  # that a resume runs
RECORDS = Records("sweep", SweepError)
DEFINITION, TRIALS, STOP = "sweep.json", "trials.jsonl", "stop"
ON_THE_WAY = "on_the_way.jsonl"  # what trials save before their end, for the pruner


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One configuration, and what has become of it."""

    number: int
    values: Values
    state: str = WAITING
    results: Mapping[str, float] = field(default_factory=dict)  # by the metric's name
    spread: Mapping[str, float] = field(default_factory=dict)  # of repeats: standard deviation
    run_ids: tuple[str, ...] = ()  # of the train runs: several with repeats
    seconds: float = 0.0
    error: str = ""
    reused_from: int | None = None  # of a duplicate
    started: str = ""  # UTC
    ended: str = ""
    node: str = ""  # whose history has its runs; empty: this machine's

    @property
    def run_id(self) -> str:
        """Its run; with repeats the first."""
        return self.run_ids[0] if self.run_ids else ""

    @property
    def has_ended(self) -> bool:
        """Whether no resume runs it again."""
        return self.state not in OPEN

    def to_json(self) -> dict[str, object]:
        """As ``alo sweep show --json`` has it."""
        content = asdict(self)
        content["trial"] = content.pop("number")
        content["args"] = content.pop("values")
        content["values"] = content.pop("results")
        return {**content, "run_ids": list(self.run_ids), "run_id": self.run_id}


class SweepFolder:
    """``history/sweeps/<name>/``: the truth about a sweep, whoever was killed.

    Args:
        workspace: the project.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self.path = sweeps_folder(workspace) / name

    @property
    def exists(self) -> bool:
        """Whether there is such a sweep."""
        return (self.path / DEFINITION).is_file()

    def make(self) -> None:
        """The folder alone, which is no sweep yet.

        Raises:
            SweepError: the disk does not let us.
        """
        with RECORDS.writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)

    def create(self, definition: Definition) -> None:
        """Begin a sweep: whole or not at all.

        Raises:
            SweepError: the disk does not let us.
        """
        self.make()
        RECORDS.write(self.path / DEFINITION, definition.to_json())

    def definition(self) -> Definition:
        """What the sweep is.

        Raises:
            SweepError: it cannot be read.
        """
        return RECORDS.read(self.path / DEFINITION, Definition.from_json)

    def trials(self) -> dict[int, Trial]:
        """All trials, by number; a torn last line is one that was never written.

        Raises:
            SweepError: the record cannot be read.
        """
        found: dict[int, Trial] = {}
        path = self.path / TRIALS
        with RECORDS.reading("trials", path):
            # From the last one back: how a trial is now is in its newest line.
            for trial in newest_first(path, trial_of):
                found.setdefault(trial.number, trial)
        return {number: found[number] for number in sorted(found)}

    @property
    def is_to_stop(self) -> bool:
        """Whether ``alo sweep stop`` has asked for it."""
        return (self.path / STOP).exists()

    def ask_to_stop(self) -> None:
        """Have whoever runs it stop, once what runs now has ended."""
        write_whole(self.path / STOP, b"")

    def clear_stop(self) -> None:
        """It runs again."""
        with suppress(FileNotFoundError):
            (self.path / STOP).unlink()


class TrialLog:
    """Appends to the record of trials; one process at a time.

    Raises:
        SweepError: the disk does not let us.
    """

    def __init__(self, folder: SweepFolder) -> None:
        self._path = folder.path / TRIALS
        with RECORDS.writing(self._path):
            self._lines = LineLog(self._path)

    def write(self, trial: Trial, *, lasts: bool) -> None:
        """Note a trial as it is now.

        Args:
            lasts: also through a power failure: how it ended.
        Raises:
            SweepError: there is no room; nothing of the line is there then.
        """
        content = trial.to_json()
        del content["run_id"]
        with RECORDS.writing(self._path):
            self._lines.write({**content, "time": utc_text(time.time())}, lasts=lasts)

    def close(self) -> None:
        """Nothing more comes."""
        self._lines.close()


def sweeps_folder(workspace: Workspace) -> Path:
    """Where the sweeps of a project are."""
    return workspace.history / "sweeps"


def names_of_sweeps(workspace: Workspace) -> list[str]:
    """The sweeps of a project, the newest first."""
    try:
        folders = [each for each in sweeps_folder(workspace).iterdir() if each.is_dir()]
    except FileNotFoundError:
        return []
    known = [each for each in folders if (each / DEFINITION).is_file()]
    known.sort(key=lambda each: ((each / DEFINITION).stat().st_mtime_ns, each.name), reverse=True)
    return [each.name for each in known]


def best_of(trials: Iterable[Trial], metrics: Sequence[Metric]) -> list[Trial]:
    """The best of those that are complete, the best first; of two metrics, the Pareto front."""
    complete = [each for each in trials if each.state == COMPLETE]
    signs = [1 if metric.direction == MAX else -1 for metric in metrics]

    def scores(trial: Trial) -> list[float]:
        pairs = zip(metrics, signs, strict=True)
        return [sign * trial.results[metric.name] for metric, sign in pairs]

    ranked = sorted(complete, key=lambda each: ([-one for one in scores(each)], each.number))
    if len(metrics) == 1:
        return ranked
    front: list[Trial] = []
    for trial in ranked:
        mine = scores(trial)
        if not any(_dominates(scores(other), mine) for other in complete):
            front.append(trial)
    return front


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    pairs = list(zip(one, other, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def counts_of(trials: Iterable[Trial]) -> dict[str, int]:
    """How many trials are in each state, of those that any is in."""
    states = [trial.state for trial in trials]
    return {state: states.count(state) for state in STATES if state in states}


def trial_of(content: Mapping[str, Any]) -> Trial:
    """What ``Trial.to_json`` has made.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    reused = content.get("reused_from")
    return Trial(
        number=int(content["trial"]),
        values=dict(content["args"]),
        state=str(content["state"]),
        results={str(name): float(each) for name, each in content.get("values", {}).items()},
        spread={str(name): float(each) for name, each in content.get("spread", {}).items()},
        run_ids=tuple(map(str, content.get("run_ids", ()))),
        seconds=float(content.get("seconds", 0.0)),
        error=str(content.get("error", "")),
        reused_from=None if reused is None else int(reused),
        started=str(content.get("started", "")),
        ended=str(content.get("ended", "")),
        node=str(content.get("node", "")),
    )
