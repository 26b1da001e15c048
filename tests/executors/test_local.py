"""The executor of this machine: tasks in processes, each run in the project's history."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.errors import ExecutorError
from alo.events.types import RunFinished, StepFinished
from alo.executors.finding import make_executor
from alo.executors.local import LocalExecutor
from alo.executors.task import (
    ERROR,
    INTERRUPTED,
    OOM,
    RUN,
    SUCCESS,
    TIMEOUT,
    TRIAL,
    Chunk,
    Done,
    Lost,
    Result,
    RunEvent,
    Task,
)
from alo.history.browse import History
from alo.layout import Workspace

TRAIN = """
import os, signal, time
how = self.args["how"]
if how == "hang":
    print("hanging", flush=True)
    time.sleep(600)
if how == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(600)
if how == "fail":
    raise ValueError("no good")
if how == "interrupt":
    raise KeyboardInterrupt
if how == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
if how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if how == "raw":
    os.write(1, b"past Python")
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(how)
self.asset.save_metric("f1", 0.123456789)
self.asset.save_summary("ok", 0.98765)
"""
INFER = """
model = open(self.asset.get_model_path() + "m").read()
self.asset.save_summary(f"of {model}", 0.5)
open(self.asset.get_output_path() + "output.csv", "w").write("a\\n1\\n")
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return make_solution(
        {"train": TRAIN}, inference={"inference": INFER}, args={"train": {"how": "well"}}
    )


@pytest.fixture
def executor(home: Path) -> Iterator[LocalExecutor]:
    made = LocalExecutor(jobs_of(home), 2)
    yield made
    made.close()
    assert left_of(home) == []


def jobs_of(home: Path) -> dict[str, Any]:
    return {job.pipeline.kind: job for job in check_solution(RunRequest(home)).jobs}


def left_of(home: Path) -> list[str]:
    """What of an executor is still in the project."""
    return [name for name in os.listdir(home / ".alo") if name.startswith("rerun-")]


def task(number: int, how: str, **fields: Any) -> Task:
    given: dict[str, Any] = {
        "id": str(number),
        "kind": TRIAL,
        "pipelines": ("train",),
        "args": {"train": {"train": {"how": how}}},
        **fields,
    }
    return Task(**given)


def test_a_task_that_goes_over_its_memory_is_told_from_one_that_fails(
    make_solution: Callable[..., Path],
) -> None:
    asked = {"train": {"resources": {"memory": "150MB"}}}
    code = "import time\nbig = bytearray(300_000_000)\ntime.sleep(600)"
    made = LocalExecutor(jobs_of(make_solution({"train": code}, beside=asked)), 1)
    try:
        found = results(made, task(1, "any", args={}))["1"]
    finally:
        made.close()

    assert isinstance(found, Result)
    assert found.status == OOM
    assert "150 MB granted" in found.error
    assert found.runs[0].status == "error"


def results(executor: LocalExecutor, *tasks: Task) -> dict[str, Result | Lost]:
    ids = {executor.submit(each): each.id for each in tasks}
    found: dict[str, Result | Lost] = {}
    for handle, event in executor.events():
        if isinstance(event, Done):
            found[ids[handle]] = event.result
        elif isinstance(event, Lost):
            found[ids[handle]] = event
    return found


def result_of(executor: LocalExecutor, how: str, **fields: Any) -> Result:
    found = results(executor, task(0, how, **fields))["0"]
    assert isinstance(found, Result)
    return found


def test_each_task_is_a_run_in_history_with_its_own_args(
    home: Path, executor: LocalExecutor
) -> None:
    sweep = {"name": "s", "trial": 7}
    found = results(executor, *[task(n, f"way-{n}", sweep=sweep) for n in range(5)])
    history = History(Workspace(home))
    for number in range(5):
        result = found[str(number)]
        assert isinstance(result, Result)
        (run,) = result.runs
        assert (result.status, run.score, run.metrics) == (SUCCESS, 0.98765, {"f1": 0.123456789})
        entry = history.find(run.run_id)
        assert (entry.folder / "models/train/m").read_text() == f"way-{number}"
        record = entry.record
        assert (record.score, record.args["train"]["how"]) == (0.99, f"way-{number}")
        assert (record.sweep, record.executor, record.node) == (sweep, "local", os.uname().nodename)
        assert [each.end_reason for each in record.attempts] == ["success"]
    assert not (home / "train_artifacts").exists()


def test_an_inference_uses_the_model_of_its_own_task(home: Path, executor: LocalExecutor) -> None:
    both = ("train", "inference")
    found = results(executor, *[task(n, f"m{n}", pipelines=both) for n in range(4)])
    for number in range(4):
        result = found[str(number)]
        assert isinstance(result, Result)
        record = History(Workspace(home)).find(result.runs[1].run_id).record
        assert record.result == f"of m{number}"
        assert record.train_id == result.runs[0].run_id


def test_events_come_in_order_and_prints_only_of_plain_runs(executor: LocalExecutor) -> None:
    executor.submit(task(0, "raw"))
    kinds, sequences, chunks = [], [], []
    for _, event in executor.events():
        if isinstance(event, RunEvent):
            kinds.append(type(event.envelope.event))
            sequences.append(event.envelope.sequence)
        if isinstance(event, Chunk):
            chunks.append(event.text)
    assert sequences == sorted(sequences)
    assert (StepFinished in kinds, kinds[-1]) == (True, RunFinished)
    executor.submit(task(1, "hang", kind=RUN, timeout_s=0.5))
    assert any(isinstance(event, RunEvent | Chunk) for _, event in executor.events())


def test_an_asset_that_fails_costs_its_task_alone(home: Path, executor: LocalExecutor) -> None:
    found = results(executor, task(0, "fail"), task(1, "well"), task(2, "fail"), task(3, "well"))
    assert [getattr(found[str(n)], "status", "") for n in range(4)] == [
        ERROR, SUCCESS, ERROR, SUCCESS,
    ]  # fmt: skip
    failed = found["0"]
    assert isinstance(failed, Result)
    assert "ValueError: no good" in failed.error
    assert History(Workspace(home)).find(failed.runs[0].run_id).record.status == "error"


def test_an_interrupt_that_nobody_has_sent_is_the_assets_own_failure(
    home: Path, executor: LocalExecutor
) -> None:
    found = result_of(executor, "interrupt")

    assert found.status == ERROR
    assert "step 'train' failed: KeyboardInterrupt" in found.error
    assert "where: assets/train/asset_train.py" in found.error
    assert History(Workspace(home)).find(found.runs[0].run_id).record.status == "error"


def test_a_crash_is_the_assets_and_its_run_is_in_history(
    home: Path, executor: LocalExecutor
) -> None:
    found = result_of(executor, "crash")
    assert found.status == ERROR
    assert "step 'train' failed: its process was ended by SIGSEGV (a segmentation" in found.error
    assert "asset_train.py" in found.error
    assert History(Workspace(home)).find(found.runs[0].run_id).record.status == "interrupted"
    assert result_of(executor, "well").status == SUCCESS


def test_a_process_that_was_killed_is_a_loss_and_the_next_try_knows_of_it(
    home: Path, executor: LocalExecutor
) -> None:
    assert isinstance(results(executor, task(0, "killed"))["0"], Lost)
    again = result_of(executor, "well", attempt=2)
    record = History(Workspace(home)).find(again.runs[0].run_id).record
    assert [each.end_reason for each in record.attempts] == ["lost", "success"]


def test_a_further_try_goes_on_after_the_last_step_that_was_stored(
    make_solution: Callable[..., Path], tmp_path: Path
) -> None:
    first = f"with open({str(tmp_path / 'count')!r}, 'a') as file: file.write('x')"
    last = f"import os\nmark = {str(tmp_path / 'mark')!r}\n"
    last += "if not os.path.exists(mark):\n    os.mkdir(mark)\n    os.kill(os.getpid(), 9)"
    home = make_solution({"first": first, "last": last}, control={"interface_mode": "file"})
    made = LocalExecutor(jobs_of(home), 1)
    try:
        assert isinstance(results(made, task(0, "", args={}))["0"], Lost)
        again = results(made, task(0, "", args={}, attempt=2))["0"]
    finally:
        made.close()
    assert isinstance(again, Result)
    assert again.status == SUCCESS, again.error
    steps = History(Workspace(home)).find(again.runs[0].run_id).record.steps
    assert [each.status for each in steps] == ["cached", "success"]
    assert (tmp_path / "count").read_text() == "x"


def test_a_task_that_takes_too_long_is_ended(home: Path, executor: LocalExecutor) -> None:
    found = result_of(executor, "hang", timeout_s=1.0)
    assert (found.status, found.error) == (TIMEOUT, "it took longer than 1 s")
    assert History(Workspace(home)).find(found.runs[0].run_id).record.status == "interrupted"
    (slot,) = executor._slots
    assert slot._child is not None  # it has ended by itself, and its process goes on
    assert result_of(executor, "well", timeout_s=60.0).status == SUCCESS
    found = result_of(executor, "stubborn", timeout_s=1.0)
    assert (found.status, found.error) == (TIMEOUT, "it took longer than 1 s")


@pytest.mark.parametrize(("how", "grace_s"), [("hang", 30.0), ("stubborn", 0.5)])
def test_a_task_is_cancelled_in_order_or_at_once(
    executor: LocalExecutor, how: str, grace_s: float
) -> None:
    handle = executor.submit(task(0, how))
    waiting = [executor.submit(task(n, "hang")) for n in (1, 2)]
    ended: dict[str, str] = {}
    for name, event in executor.events():
        if isinstance(event, RunEvent) and name == handle:
            for each in (waiting[1], handle, waiting[0]):
                executor.cancel(each, grace_s)
        if isinstance(event, Done):
            ended[name] = event.result.status
    assert ended == dict.fromkeys([handle, *waiting], INTERRUPTED)


def test_a_task_is_cancelled_before_its_process_is_ready(executor: LocalExecutor) -> None:
    handles = [executor.submit(task(n, "hang")) for n in (0, 1)]
    for handle in handles:
        executor.cancel(handle, 30.0)

    ended = {name: event.result for name, event in executor.events() if isinstance(event, Done)}

    assert ended == dict.fromkeys(handles, Result(status=INTERRUPTED))
    assert result_of(executor, "well").status == SUCCESS


def test_all_processes_have_the_code_as_it_was_at_the_beginning(
    home: Path, executor: LocalExecutor
) -> None:
    first = result_of(executor, "well")
    (home / "assets/train/asset_train.py").write_text("broken(")
    second = results(executor, task(1, "a"), task(2, "b"))
    assert [getattr(each, "status", "") for each in second.values()] == [SUCCESS, SUCCESS]
    assert first.status == SUCCESS


def test_a_killed_driver_leaves_nothing_running(home: Path, tmp_path: Path) -> None:
    import subprocess
    import time

    code = (
        "import sys; sys.path.insert(0, sys.argv[2]);"
        "from pathlib import Path; from tests.executors.test_local import *;"
        "executor = LocalExecutor(jobs_of(Path(sys.argv[1])), 1);"
        "executor.submit(task(0, 'hang'));"
        "[print(slot._child.pid, flush=True)"
        " for handle, event in executor.events() for slot in executor._slots]"
    )
    root = str(Path(__file__).parents[2])
    driver = subprocess.Popen(
        [sys.executable, "-c", code, str(home), root], stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    pid = int(driver.stdout.readline())
    driver.kill()
    driver.communicate()
    end = time.monotonic() + 10
    while time.monotonic() < end and _is_alive(pid):
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_an_executor_may_be_a_class_of_ones_own(home: Path) -> None:
    made = make_executor("alo.executors.local:LocalExecutor", jobs_of(home), 1)
    assert made.capacity() == 1
    made.close()


def test_an_executor_may_be_in_the_projects_folder(home: Path) -> None:
    own = "from alo.executors import Chunk, Done, Executor, Lost, Result, RunEvent, Task\n"
    (home / "own_executor.py").write_text(
        f"{own}class Mine:\n    def __init__(self, jobs, tasks):\n        self.tasks = tasks\n"
        "    def capacity(self):\n        return self.tasks\n"
    )
    before = list(sys.path)

    assert make_executor("own_executor:Mine", jobs_of(home), 3).capacity() == 3
    assert sys.path == before


def test_where_processes_cannot_be_started_it_is_said(
    executor: LocalExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.processes.child._start", _refused)
    with pytest.raises(ExecutorError, match="cannot be started"):
        executor.submit(task(0, "well"))
    assert signal.getsignal(signal.SIGINT) is not None


def _refused(*given: object) -> int:
    raise OSError(11, "no more processes")
