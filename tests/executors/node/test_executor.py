"""An executor over nodes that see nothing of the project: the same runs as on this machine."""

from __future__ import annotations

import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.errors import ExecutorError
from alo.events.types import StepStarted
from alo.executors.depot import Depot
from alo.executors.node.executor import NodesExecutor
from alo.executors.node.order import Unfit
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    RUN,
    SHARD,
    SUCCESS,
    TRIAL,
    Done,
    Lost,
    Result,
    RunEvent,
    Task,
    TaskEvent,
)
from alo.history.browse import History
from alo.layout import Workspace

from .process_node import ProcessNode

TRAIN = """
import os, time
how = self.args["how"]
if how == "hang":
    print("hanging", flush=True)
    time.sleep(600)
if how == "wait":
    time.sleep(2)
if how == "fail":
    raise ValueError("no good")
if how == "print":
    for _ in range(2000):
        print("x" * 10_000)
from pathlib import Path
rows = Path(self.asset.get_input_path(), "data/rows.csv").read_text()
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(rows + how)
import helper
print("said by the asset", helper.WORD, os.getcwd())
self.asset.save_metric("f1", 0.123456789)
self.asset.save_summary("ok", 0.98765)
"""
INFER = """
from pathlib import Path
model = Path(self.asset.get_model_path(), "m").read_text()
rows = Path(self.asset.get_input_path(), "data/rows.csv").read_text()
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write(rows)
self.asset.save_summary(f"of {model}"[:20], 0.5, note=rows[:20])
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    external = {
        "load_train_data_path": "data/",
        "load_inference_data_path": "data/",
    }
    made = make_solution(
        {"train": TRAIN},
        inference={"inference": INFER},
        args={"train": {"how": "well"}},
        external=external,
    )
    (made / "data").mkdir()
    (made / "data/rows.csv").write_text("rows ")
    (made / "helper.py").write_text("WORD = 'helped'\n")
    return made


def jobs_of(home: Path) -> dict[str, Any]:
    return {job.pipeline.kind: job for job in check_solution(RunRequest(home)).jobs}


Make = Callable[..., NodesExecutor]


@pytest.fixture
def nodes() -> list[ProcessNode]:
    """Those that were started."""
    return []


@pytest.fixture
def depot() -> Depot:
    return Depot()


@pytest.fixture
def executor(
    home: Path, tmp_path: Path, nodes: list[ProcessNode], depot: Depot
) -> Iterator[NodesExecutor]:
    def connect(number: int) -> ProcessNode:
        made = ProcessNode(tmp_path / f"node-{number}", f"n{number}", hides=home)
        nodes.append(made)
        return made

    made = NodesExecutor(jobs_of(home), 2, connect, depot, name="nodes")
    yield made
    made.close()
    assert [name for name in os.listdir(home / ".alo") if name.startswith("rerun-")] == []
    for node in nodes:
        node.process.wait(30)


def task(number: int, how: str = "well", **fields: Any) -> Task:
    given: dict[str, Any] = {
        "id": str(number),
        "kind": TRIAL,
        "pipelines": ("train",),
        "args": {"train": {"train": {"how": how}}},
        **fields,
    }
    return Task(**given)


def endings(
    executor: NodesExecutor,
    *tasks: Task,
    on: Callable[[str, TaskEvent], object] = lambda handle, event: None,
) -> dict[str, Result | Lost]:
    ids = {executor.submit(each): each.id for each in tasks}
    found: dict[str, Result | Lost] = {}
    for handle, event in executor.events():
        on(handle, event)
        if isinstance(event, Done):
            found[ids[handle]] = event.result
        elif isinstance(event, Lost):
            found[ids[handle]] = event
    return found


def result_of(executor: NodesExecutor, task: Task) -> Result:
    found = endings(executor, task)[task.id]
    assert isinstance(found, Result)
    return found


def test_trials_are_runs_in_the_projects_history(home: Path, executor: NodesExecutor) -> None:
    found = endings(executor, *[task(n, f"way-{n}", sweep={"trial": n}) for n in range(4)])

    nodes = set()
    for number in range(4):
        result = found[str(number)]
        assert isinstance(result, Result)
        assert result.status == SUCCESS, result.error
        (run,) = result.runs
        entry = History(Workspace(home)).find(run.run_id)
        assert (entry.folder / "models/train/m").read_text() == f"rows way-{number}"
        assert (entry.folder / "project_code/helper.py").is_file()
        assert "said by the asset helped" in (entry.folder / "log/pipeline.log").read_text()
        record = entry.record
        assert (record.executor, record.sweep) == ("nodes", {"trial": number})
        assert (run.score, run.metrics) == (0.98765, {"f1": 0.123456789})
        nodes.add(record.node)
    assert nodes == {"n0", "n1"}
    assert not any(History(Workspace(home)).verify().values())
    assert not (home / "train_artifacts").exists()


def test_a_run_is_the_same_as_here(
    home: Path, executor: NodesExecutor, run: Callable[..., Any]
) -> None:
    result = result_of(executor, task(0, kind=RUN, pipelines=("train", "inference"), args={}))
    assert result.status == SUCCESS, result.error
    assert result.output is not None
    here = run(home)
    for outcome, done in zip(here, result.runs, strict=True):
        kind = outcome.pipeline
        (entry,) = (result.output / kind / "entry").iterdir()
        assert entry.name == done.run_id
        sent, own = _files(result.output / kind / "artifacts"), _files(outcome.artifacts)
        assert sent.keys() == own.keys()
        timeless = [name for name in own if not name.startswith(("log/", "score/"))]
        assert [name for name in timeless if sent[name] != own[name]] == []
        assert len(timeless) == 1
        assert _files(entry).keys() == _files(outcome.history).keys()
    records = [History(Workspace(home)).find(each.run_id).record for each in here]
    for record in records:
        (entry,) = (result.output / record.pipeline / "entry").iterdir()
        reported = json.loads((entry / "log/experimental_history.json").read_text())
        for name in ("data_id", "code_id", "param_id", "data_id_description", "result", "score"):
            assert reported[name] == record.to_json()[name], name


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "model_origin.json"
    }


def test_a_shard_has_its_own_data_and_model(
    home: Path, executor: NodesExecutor, depot: Depot, tmp_path: Path
) -> None:
    (tmp_path / "models/train").mkdir(parents=True)
    (tmp_path / "models/train/m").write_text("m" * 9_000_000)
    model = depot.add_folder(tmp_path / "models")
    tasks = []
    for number in range(3):
        folder = tmp_path / f"shard-{number}/data"
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text(f"rows of {number}" * 1_000_000)
        inputs = {"inference": depot.add_folder(folder.parent)}
        tasks.append(
            task(number, kind=SHARD, pipelines=("inference",), args={}, inputs=inputs, model=model)
        )

    found = endings(executor, *tasks)

    for number in range(3):
        result = found[str(number)]
        assert isinstance(result, Result)
        assert result.status == SUCCESS, result.error
        assert result.output is not None
        text = (result.output / "output/output.csv").read_text()
        assert text == f"rows of {number}" * 1_000_000
    assert not (home / "history").exists()


def test_a_node_that_is_killed_costs_its_task_a_try(
    home: Path, executor: NodesExecutor, nodes: list[ProcessNode]
) -> None:
    def kill(handle: str, event: TaskEvent) -> None:
        if isinstance(event, RunEvent) and handle == "0.1":
            for node in nodes:
                node.kill()

    first = endings(executor, task(0, "hang"), on=kill)["0"]
    assert isinstance(first, Lost)
    again = result_of(executor, task(0, attempt=2))
    assert again.status == SUCCESS, again.error
    record = History(Workspace(home)).find(again.runs[0].run_id).record
    assert [each.end_reason for each in record.attempts] == ["lost", "success"]
    assert len(os.listdir(home / "history/train")) == 1


def test_what_fails_is_the_tasks_alone_and_a_cancelled_one_ends(
    home: Path, executor: NodesExecutor
) -> None:
    def cancel(handle: str, event: TaskEvent) -> None:
        if isinstance(event, RunEvent) and handle == "1.1":
            executor.cancel(handle, 30.0)

    found = endings(executor, task(0, "fail"), task(1, "hang"), task(2), on=cancel)

    statuses = {number: getattr(each, "status", "") for number, each in found.items()}
    assert statuses == {"0": ERROR, "1": INTERRUPTED, "2": SUCCESS}
    failed = found["0"]
    assert isinstance(failed, Result)
    assert "ValueError: no good" in failed.error
    assert History(Workspace(home)).find(failed.runs[0].run_id).record.status == "error"


class UnfitNode(ProcessNode):
    """One that has room for no task."""

    def poll(self, max_bytes: int = 0, wait_s: float = 0.0) -> list[bytes]:
        return [pickle.dumps(Unfit(ExecutorError("no room", where="here", fix="make some")))]


class MuteNode(ProcessNode):
    """One that does not answer any more, once it has begun."""

    def __init__(self, root: Path, name: str, answers: threading.Event) -> None:
        super().__init__(root, name)
        self._answers, self.is_asked = answers, threading.Event()

    def poll(self, max_bytes: int = 0, wait_s: float = 0.0) -> list[bytes]:
        self.is_asked.set()
        self._answers.wait()
        raise ConnectionError("it is gone")


def test_a_node_that_was_paused_continues_its_task(home: Path, tmp_path: Path) -> None:
    node = ProcessNode(tmp_path / "node", "n", silent_s=4.0)
    executor = NodesExecutor(jobs_of(home), 1, lambda number: node, Depot(), name="nodes")

    def pause(handle: str, event: TaskEvent) -> None:
        if isinstance(event, RunEvent) and isinstance(event.envelope.event, StepStarted):
            node.process.send_signal(signal.SIGSTOP)
            paused = time.monotonic()
            wait_until(lambda: time.monotonic() > paused + 6.0)
            node.process.send_signal(signal.SIGCONT)

    found = endings(executor, task(0, "wait"), on=pause)
    executor.close()

    assert isinstance(found["0"], Result)
    assert found["0"].status == SUCCESS
    assert node.process.wait(30) == 0


def test_what_a_node_is_not_fit_for_others_do(home: Path, tmp_path: Path) -> None:
    makes = [UnfitNode, ProcessNode]

    def connect(number: int) -> ProcessNode:
        return makes[number](tmp_path / f"node-{number}", f"n{number}")

    executor = NodesExecutor(jobs_of(home), 2, connect, Depot(), name="nodes")
    found = endings(executor, *[task(number) for number in range(4)])
    executor.close()

    assert [getattr(each, "status", each) for each in found.values()] == [SUCCESS] * 4
    records = History(Workspace(home)).list()
    assert [(each.node, len(each.attempts)) for each in records] == [("n1", 1)] * 4


def test_where_no_node_is_fit_it_is_told_why(home: Path, tmp_path: Path) -> None:
    made = []

    def connect(number: int) -> ProcessNode:
        made.append(number)
        return UnfitNode(tmp_path / "node", "n")

    executor = NodesExecutor(jobs_of(home), 1, connect, Depot(), name="nodes")
    with pytest.raises(ExecutorError, match="no node is left: no room") as caught:
        endings(executor, task(0))
    executor.close()

    assert (caught.value.where, caught.value.fix) == ("here", "make some")
    assert len(made) == 3  # another one might have been


def test_a_slot_that_waits_for_room_holds_no_task(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.executors.node.executor.CLOSE_S", 3600.0)
    has_room, waits = threading.Event(), threading.Event()

    def connect(number: int) -> ProcessNode:
        if number:
            waits.set()
            has_room.wait()
            raise ConnectionError("no room")
        waits.wait()
        return ProcessNode(tmp_path / "node", "n")

    executor = NodesExecutor(jobs_of(home), 2, connect, Depot(), name="nodes")
    found = endings(executor, task(0), task(1))
    executor.close()  # and does not hold up the end
    has_room.set()

    assert [getattr(each, "status", each) for each in found.values()] == [SUCCESS] * 2


def test_a_cancelled_task_whose_node_does_not_answer_is_given_up(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.executors.node.executor.ANSWER_S", 0.1)
    monkeypatch.setattr("alo.executors.node.executor.CLOSE_S", 3600.0)
    answers = threading.Event()
    node = MuteNode(tmp_path / "node", "n", answers)
    executor = NodesExecutor(jobs_of(home), 1, lambda number: node, Depot(), name="nodes")
    handles = [executor.submit(task(number)) for number in range(2)]
    assert node.is_asked.wait(60)
    for handle in handles:
        executor.cancel(handle, 0.0)

    found = dict(executor.events())
    executor.close()
    answers.set()

    assert [found[each] for each in handles] == [Done(Result(status=INTERRUPTED))] * 2
    assert not (home / "history").exists()
    node.process.wait(30)
