"""An input in shards, and an executor that answers them at once, without a process."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from alo.batch.cutting.cut import cut
from alo.batch.cutting.shard import Cut
from alo.batch.shards.context import ShardContext
from alo.batch.shards.definition import Definition, Tolerance
from alo.batch.shards.drive import ShardDrive
from alo.batch.shards.record import BatchFolder, BatchLog
from alo.batch.shards.staging import Staging
from alo.batch.shards.tables import TableForm
from alo.data.location import SourceFile
from alo.events.envelope import Envelope
from alo.events.types import RunStarted
from alo.executors.depot import Depot
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    SUCCESS,
    Done,
    Lost,
    Result,
    RunEvent,
    Task,
    TaskEvent,
)
from alo.layout import Workspace

BEGUN = RunStarted("r", "inference", ("a",), "s")
Rows = Sequence[dict[str, str]]
Answer = Callable[[Rows], bytes | str]  # of the rows: a table, or an error


def as_they_are(rows: Rows) -> bytes:
    """A pipeline that gives each row its number below the others, and a copy."""
    lines = [f"{number},{row['x']}" for number, row in enumerate(rows)]
    return "\n".join([",x", *lines, ""]).encode()


class Answering:
    """Answers the oldest task when it is asked for events."""

    def __init__(self, depot: Depot, folder: Path, answer: Answer = as_they_are) -> None:
        self._depot, self._folder, self._answer = depot, folder, answer
        self._waiting: list[tuple[str, Task]] = []
        self._cancelled: list[str] = []
        self.tasks: list[Task] = []
        self.lost: list[str] = []  # ids of tasks that are lost once for each time they are here
        self.interrupted: list[str] = []  # likewise, though nobody has cancelled them

    def capacity(self) -> int:
        return 2

    def submit(self, task: Task) -> str:
        self.tasks.append(task)
        self._waiting.append((f"{task.id}.{task.attempt}", task))
        return self._waiting[-1][0]

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        while self._waiting or self._cancelled:
            while self._cancelled:
                yield self._cancelled.pop(), Done(Result(status=INTERRUPTED))
            if not self._waiting:
                return
            handle, task = self._waiting.pop(0)
            if task.id in self.lost:
                self.lost.remove(task.id)
                yield handle, Lost("gone")
            elif task.id in self.interrupted:
                self.interrupted.remove(task.id)
                yield handle, Done(Result(status=INTERRUPTED))
            else:
                yield handle, RunEvent(Envelope("r", "inference", 0, 0.0, BEGUN))
                yield handle, Done(self._result(handle, task))

    def cancel(self, handle: str, grace_s: float) -> None:
        self._waiting = [each for each in self._waiting if each[0] != handle]
        self._cancelled.append(handle)

    def close(self) -> None:
        """There is nothing to end."""

    def _result(self, handle: str, task: Task) -> Result:
        rows: list[dict[str, str]] = []
        for path in sorted(self._depot.folder(task.inputs["inference"]).rglob("*.csv")):
            with path.open(newline="") as file:
                rows += csv.DictReader(file)
        answered = self._answer(rows)
        if isinstance(answered, str):
            return Result(status=ERROR, error=answered)
        return Result(status=SUCCESS, output=entry(self._folder / handle, answered))


def entry(folder: Path, table: bytes, name: str = "output.csv") -> Path:
    """What a run leaves: a table, a record and a log."""
    for inner in ("output", "log"):
        (folder / inner).mkdir(parents=True)
    (folder / "output" / name).write_bytes(table)
    (folder / "log" / "process.log").write_text("done\n")
    record = {"id": folder.name, "pipeline": "inference", "status": "success", "start_time": ""}
    reported = {**record, "score": 0.5, "result": "ok", "probability": {}}
    (folder / "log" / "experimental_history.json").write_text(json.dumps(reported))
    return folder


class Project:
    """An input of rows that count, or have all one value, and a batch of it."""

    def __init__(self, home: Path, rows: int, value: str = "", **how: int) -> None:
        self.home, self.depot = home, Depot()
        self.workspace = Workspace(home)
        table = home / "data.csv"
        table.write_text("".join(["x\n", *(f"{value or row}\n" for row in range(rows))]))
        status = table.stat()
        source = SourceFile(str(table), "data.csv", status.st_size, status.st_mtime_ns)
        self.cut: Cut = cut([source], **how)
        self.folder = BatchFolder(self.workspace, "b")
        self.folder.create(Definition(name="b", cut=("rows", 1)))
        self.made = 0

    def drive(
        self,
        answer: Answer = as_they_are,
        ids: str = "m",
        form: TableForm | None = None,
        **tolerance: object,
    ) -> tuple[ShardDrive, Answering]:
        """One that goes on with what is on record."""
        self.made += 1
        place = self.home / f"process-{self.made}"
        for inner in ("inputs", "outputs"):
            (place / inner).mkdir(parents=True)
        executor = Answering(self.depot, place / "outputs", answer)
        self.log = BatchLog(self.folder)
        drive = ShardDrive(
            self.cut.shards,
            self.folder,
            self.log,
            executor,
            Staging(place / "inputs", self.depot),
            ShardContext(ids={"model": ids}, code={}),
            Tolerance(**tolerance),  # type: ignore[arg-type]
            2,
            form,
        )
        return drive, executor

    def run(self, drive: ShardDrive) -> None:
        """Run it to its end, whatever that is."""
        with closing(self.log):
            drive.run()

    def rows(self, drive: ShardDrive) -> list[int]:
        """All rows that are answered, in the order of the output."""
        found = []
        for shard in self.cut.shards:
            for leaf in drive.leaves[shard.number]:
                if leaf.name in drive.results:
                    table = drive.path_of(leaf.name) / "output" / "output.csv"
                    found += [int(line.split(",")[1]) for line in table.read_text().split()[1:]]
        return found


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Call it with a number of rows, and how they are cut."""

    def make(rows: int, value: str = "", **how: int) -> Project:
        return Project(tmp_path, rows, value, **how)

    return make
