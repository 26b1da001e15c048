"""The drive of a sweep, with executors that do not behave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from alo.batch.sweep.context import TrialContext
from alo.batch.sweep.definition import Definition, Metric
from alo.batch.sweep.drive import Reports, SweepDrive
from alo.batch.sweep.limits import Limits
from alo.batch.sweep.proposals.own import OwnProposals
from alo.batch.sweep.proposals.samplers import make_sampler
from alo.batch.sweep.space import Param, Values, parse_spec
from alo.batch.sweep.trials import (
    COMPLETE,
    DUPLICATE,
    LOST,
    RUNNING,
    WAITING,
    SweepFolder,
    Trial,
    TrialLog,
)
from alo.errors import ExecutorError, SweepError
from alo.executors.task import (
    ERROR,
    SUCCESS,
    Done,
    Lost,
    Result,
    RunDone,
    Task,
    TaskEvent,
)
from alo.layout import Workspace

PARAM = Param("train", "s", "x", parse_spec("1..8"))
DEFINITION = Definition(
    name="s", params=(PARAM,), metrics=(Metric("score"),), sampler="grid", seed=0
)
Answer = Callable[[Task], Sequence[TaskEvent]]


def succeeded(task: Task) -> Sequence[TaskEvent]:
    x = task.args["train"]["s"]["x"]
    run = RunDone(
        run_id=f"run-{x}", pipeline="train", status=SUCCESS, seconds=1, score=float(str(x)) / 10
    )
    return [Done(Result(status=SUCCESS, runs=(run,)))]


class Odd:
    """An executor of somebody's: what it says of each task is up to the test."""

    def __init__(self, answer: Answer, *, newest_first: bool = False) -> None:
        self._answer, self._newest_first = answer, newest_first
        self.tasks: list[Task] = []
        self.most = 0
        self._waiting: list[tuple[str, Task]] = []

    def capacity(self) -> int:
        return 2

    def submit(self, task: Task) -> str:
        self.tasks.append(task)
        self._waiting.append((f"{task.id}.{task.attempt}", task))
        self.most = max(self.most, len(self._waiting))
        return self._waiting[-1][0]

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        while self._waiting:
            handle, task = self._waiting.pop(-1 if self._newest_first else 0)
            for event in self._answer(task):
                yield handle, event

    def cancel(self, handle: str, grace_s: float) -> None:
        self._waiting = [each for each in self._waiting if each[0] != handle]

    def close(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    made = SweepFolder(Workspace(tmp_path), "s")
    made.create(DEFINITION)
    return made


def drive_of(
    folder: SweepFolder,
    executor: Odd,
    prefix: str = "",
    jobs: int = 2,
    warned: Callable[[str], object] = print,
) -> SweepDrive:
    limits = Limits(trials=None, jobs=jobs)
    log = TrialLog(folder)
    trials = folder.trials()
    sampler = make_sampler("grid", DEFINITION.params, 0, ["max"])
    first = max(trials, default=-1) + 1
    proposals = OwnProposals(sampler, DEFINITION.metrics, first, None)
    context = TrialContext(definition=DEFINITION, folder=folder, prefix=prefix)
    return SweepDrive(context, trials, log, executor, proposals, limits, Reports(warned=warned))


@pytest.mark.parametrize("newest_first", [False, True])
def test_in_whichever_order_trials_end_each_has_its_own_result(
    folder: SweepFolder, newest_first: bool
) -> None:
    executor = Odd(succeeded, newest_first=newest_first)
    drive_of(folder, executor).run()
    assert {n: each.results for n, each in folder.trials().items()} == {
        n: {"score": (n + 1) / 10} for n in range(8)
    }
    assert executor.most == 2


def test_an_ending_that_is_told_twice_counts_once(folder: SweepFolder) -> None:
    drive_of(folder, Odd(lambda task: [*succeeded(task), *succeeded(task)])).run()
    assert [each.state for each in folder.trials().values()] == [COMPLETE] * 8


def test_a_loss_is_tried_again_and_the_tries_are_numbered(folder: SweepFolder) -> None:
    def once_lost(task: Task) -> Sequence[TaskEvent]:
        return [Lost("gone")] if task.attempt == 1 else succeeded(task)

    executor, warnings = Odd(once_lost), []
    drive_of(folder, executor, warned=warnings.append).run()
    assert [each.state for each in folder.trials().values()] == [COMPLETE] * 8
    assert sorted(each.attempt for each in executor.tasks) == [1] * 8 + [2] * 8
    assert sorted(warnings) == [f"trial {n} is lost, and tried again: gone" for n in range(8)]


def test_an_executor_that_raises_is_named_and_what_has_ended_stays(folder: SweepFolder) -> None:
    def broken(task: Task) -> Sequence[TaskEvent]:
        if task.id == "3/0":
            raise ValueError("no cluster any more")
        return succeeded(task)

    with pytest.raises(ExecutorError, match="Odd failed: ValueError: no cluster") as raised:
        drive_of(folder, Odd(broken)).run()
    assert "alo sweep resume s" in raised.value.fix
    states = [each.state for each in folder.trials().values()]
    assert states[:3] == [COMPLETE] * 3
    assert set(states[3:]) == {RUNNING}

    executor = Odd(succeeded)
    drive_of(folder, executor).run()  # goes on
    assert [each.state for each in folder.trials().values()] == [COMPLETE] * 8
    assert [each.id for each in executor.tasks[:2]] == ["3/0", "4/0"]


def test_the_commonest_error_ends_a_sweep(folder: SweepFolder) -> None:
    def failing(task: Task) -> Sequence[TaskEvent]:
        error = "rare" if task.id == "3/0" else "common"
        return [Done(Result(status=ERROR, error=error))]

    with pytest.raises(SweepError, match="4 trials failed, 3 of them so: common") as caught:
        drive_of(folder, Odd(failing)).run()
    assert caught.value.where == "trial 2"  # the last one that failed so
    assert len(folder.trials()) <= 5


def test_nothing_is_asked_for_once_it_is_to_stop(folder: SweepFolder) -> None:
    executor = Odd(succeeded)
    drive = drive_of(folder, executor)

    def stop_at_third(task: Task) -> Sequence[TaskEvent]:
        if task.id == "2/0":
            drive.stop()
        return succeeded(task)

    executor._answer = stop_at_third
    drive.run()
    assert len(executor.tasks) == 4  # one was under way
    assert [each.state for each in folder.trials().values()] == [COMPLETE] * 4


def test_until_the_common_steps_have_run_one_trial_runs(folder: SweepFolder) -> None:
    executor = Odd(succeeded)
    most: list[int] = []

    def counting(task: Task) -> Sequence[TaskEvent]:
        most.append(len(executor._waiting) + 1)
        return succeeded(task)

    executor._answer = counting
    drive_of(folder, executor, "prepare", jobs=4).run()
    assert most[0] == 1
    assert max(most) == 4


class Same:
    """A sampler that knows one configuration."""

    def ask(self, number: int) -> Values:
        return {"s.x": 5}

    def tell(self, number: int, values: Values, results: Sequence[float] | None) -> None: ...


def driven_with_one_configuration(folder: SweepFolder, executor: Odd) -> list[Trial]:
    ended: list[Trial] = []
    drive = SweepDrive(
        TrialContext(definition=DEFINITION, folder=folder),
        folder.trials(), TrialLog(folder), executor,
        OwnProposals(Same(), DEFINITION.metrics, 0, 3), Limits(trials=3, jobs=2, retries=0),
        Reports(ended=ended.append),
    )  # fmt: skip
    drive.run()
    return ended


def test_a_duplicate_of_a_trial_that_runs_has_what_that_comes_to(folder: SweepFolder) -> None:
    waited: list[str] = []

    def answer(task: Task) -> Sequence[TaskEvent]:
        waited.extend(each.state for each in folder.trials().values())
        return succeeded(task)

    ended = driven_with_one_configuration(folder, executor := Odd(answer))
    assert waited == [RUNNING, WAITING, WAITING]
    assert [each.state for each in ended] == [COMPLETE, DUPLICATE, DUPLICATE]
    assert [each.results for each in ended] == [{"score": 0.5}] * 3
    assert len(executor.tasks) == 1


def test_a_trial_that_waits_for_one_that_is_lost_is_run(folder: SweepFolder) -> None:
    lost = iter([True])

    def answer(task: Task) -> Sequence[TaskEvent]:
        return [Lost("killed")] if next(lost, False) else succeeded(task)

    ended = driven_with_one_configuration(folder, Odd(answer))
    assert [(each.number, each.state) for each in ended] == [
        (0, LOST), (1, COMPLETE), (2, DUPLICATE),
    ]  # fmt: skip


def test_a_trial_that_waited_when_all_was_killed_waits_again(folder: SweepFolder) -> None:
    log = TrialLog(folder)
    for number, state in enumerate([RUNNING, WAITING]):  # as a kill leaves them
        log.write(Trial(number=number, values={"s.x": 5}, state=state), lasts=True)
    log.close()
    ended = driven_with_one_configuration(folder, Odd(succeeded))
    assert [(each.number, each.state) for each in ended][:2] == [(0, COMPLETE), (1, DUPLICATE)]
