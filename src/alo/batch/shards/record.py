"""``history/batches/<name>/``: what became of each shard, on disk before what comes next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alo.batch.line_log import LineLog, newest_first
from alo.batch.records import Records
from alo.batch.shards.definition import Definition
from alo.errors import BatchError
from alo.files import discard
from alo.history.ids import utc_text
from alo.layout import Workspace

RUNNING, DONE, FAILED, SPLIT = "running", "done", "failed", "split"  # split: its halves count
INTERRUPTED = "interrupted"
COMPLETE, INCOMPLETE = "complete", "incomplete"
RECORDS = Records("batch", BatchError)
DEFINITION, SHARDS, OUTCOME = "batch.json", "shards.jsonl", "outcome.json"
RESULTS, FAILURES = "shards", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardState:
    """How a shard is, or a half of one."""

    shard: str  # its name
    state: str
    attempts: int = 1
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """The run that the shards are to become; each process that resumes has one of its own."""

    run: str
    state: str  # running or done


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record."""

    shards: Mapping[str, ShardState]  # by name
    run: RunState | None = None  # the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a batch has come to."""

    batch: str
    run_id: str
    status: str  # complete; or incomplete: more shards failed than were to
    rows_in: int | None  # None: whole files
    rows_out: int
    rows_failed: int  # or files, where whole files were cut
    total: int  # shards
    done: int
    failed: int
    reused: int  # done by an earlier process
    output: str  # the table, or the folder of the images

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is left to be done."""
        return self.status == COMPLETE

    def to_json(self) -> dict[str, object]:
        """As ``alo infer --json`` ends."""
        content = asdict(self)
        names = ("total", "done", "failed", "reused")
        shards = {name: content.pop(name) for name in names}
        output = content.pop("output")
        return {**content, "shards": shards, "output": output}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Outcome:
        """The outcome that ``to_json`` has written.

        Raises:
            KeyError, TypeError: it is none.
        """
        rest = dict(content)
        return cls(**rest.pop("shards"), **rest)


class BatchFolder:
    """The truth about a sharded inference, whoever was killed.

    Args:
        workspace: the project.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self.path = batches_folder(workspace) / name
        self.results = self.path / RESULTS  # a folder for each shard that is done
        self.failures = self.path / FAILURES  # what those that failed have left

    @property
    def exists(self) -> bool:
        """Whether there is such a batch."""
        return (self.path / DEFINITION).is_file()

    def create(self, definition: Definition) -> None:
        """Note what it is: whole or not at all.

        Raises:
            BatchError: the disk does not let us.
        """
        with RECORDS.writing(self.path):
            self.results.mkdir(parents=True, exist_ok=True)
        RECORDS.write(self.path / DEFINITION, definition.to_json())

    def definition(self) -> Definition:
        """What it is.

        Raises:
            BatchError: it cannot be read.
        """
        return RECORDS.read(self.path / DEFINITION, Definition.from_json)

    def known(self) -> Known:
        """What is on record; a torn last line is one that was never written.

        Raises:
            BatchError: the record cannot be read.
        """
        shards: dict[str, ShardState] = {}
        run: RunState | None = None
        path = self.path / SHARDS
        with RECORDS.reading("shards", path):
            for each in newest_first(path, _state_of):
                if isinstance(each, ShardState):
                    shards.setdefault(each.shard, each)
                else:
                    run = run or each
        return Known(shards, run)

    def note_outcome(self, outcome: Outcome) -> None:
        """Note what the run that is about to succeed has come to.

        Raises:
            BatchError: the disk does not let us.
        """
        RECORDS.write(self.path / OUTCOME, outcome.to_json())

    def outcome(self) -> Outcome:
        """What was noted last.

        Raises:
            BatchError: nothing was, or it cannot be read.
        """
        return RECORDS.read(self.path / OUTCOME, Outcome.from_json)

    def begin_anew(self) -> None:
        """Forget all shards; what the batch is stays.

        Raises:
            BatchError: the disk does not let us.
        """
        with RECORDS.writing(self.path):
            (self.path / SHARDS).unlink(missing_ok=True)  # first: no result counts any more
            self.drop_results()
            self.results.mkdir()

    def drop_results(self) -> None:
        """Remove what the shards have come to: it is in history, or is not wanted."""
        for folder in (self.results, self.failures):
            if folder.exists():
                discard(folder)


class BatchLog:
    """Appends to the record; one process at a time.

    Raises:
        BatchError: the disk does not let us.
    """

    def __init__(self, folder: BatchFolder) -> None:
        self._path = folder.path / SHARDS
        with RECORDS.writing(self._path):
            self._lines = LineLog(self._path)

    def write(self, state: ShardState | RunState, *, lasts: bool) -> None:
        """Note a state.

        Args:
            lasts: also through a power failure: how it ended.
        Raises:
            BatchError: there is no room; nothing of the line is there then.
        """
        with RECORDS.writing(self._path):
            self._lines.write({**asdict(state), "time": utc_text(time.time())}, lasts=lasts)

    def close(self) -> None:
        """Nothing more comes."""
        self._lines.close()


def batches_folder(workspace: Workspace) -> Path:
    """Where the batches of a project are."""
    return workspace.history / "batches"


def names_of_batches(workspace: Workspace) -> list[str]:
    """The batches of a project, by name."""
    return sorted(path.parent.name for path in batches_folder(workspace).glob(f"*/{DEFINITION}"))


def _state_of(content: Mapping[str, Any]) -> ShardState | RunState:
    if "run" in content:
        return RunState(run=str(content["run"]), state=str(content["state"]))
    return ShardState(
        shard=str(content["shard"]),
        state=str(content["state"]),
        attempts=int(content["attempts"]),
        seconds=float(content["seconds"]),
        error=str(content["error"]),
    )
