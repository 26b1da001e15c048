"""Executors that do not behave, guarded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from alo.errors import ExecutorError
from alo.executors.guard import GuardedExecutor, PatientExecutor, warnings_of
from alo.executors.task import (
    INTERRUPTED,
    SUCCESS,
    TRIAL,
    Chunk,
    Done,
    Lost,
    Result,
    Task,
    TaskEvent,
)

TASK = Task(id="1", kind=TRIAL, pipelines=("train",))
DONE = Done(Result(status=SUCCESS))


class Odd:
    """Tells what it is given, whichever tasks it has."""

    def __init__(self, events: Sequence[tuple[str, TaskEvent] | Exception]) -> None:
        self._events = events

    def capacity(self) -> int:
        raise ValueError("no idea")

    def submit(self, task: Task) -> str:
        return task.id

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        for each in self._events:
            if isinstance(each, Exception):
                raise each
            yield each

    def cancel(self, handle: str, grace_s: float) -> None: ...

    def close(self) -> None: ...


def events_of(*events: tuple[str, TaskEvent] | Exception) -> list[tuple[str, TaskEvent]]:
    guarded = GuardedExecutor(Odd(events), "mend it")
    guarded.submit(TASK)
    return list(guarded.events())


@pytest.mark.parametrize("last", [DONE, Lost("gone")])
def test_what_comes_after_the_end_is_dropped(last: TaskEvent) -> None:
    chunk = Chunk("stdout", "a")
    found = events_of(("1", chunk), ("1", last), ("1", DONE), ("1", chunk), ("9", DONE))
    assert found == [("1", chunk), ("1", last)]


def test_a_task_that_never_ends_is_told_when_nothing_more_comes() -> None:
    with pytest.raises(
        ExecutorError, match="the executor Odd failed: it has nothing more to report"
    ):
        events_of(("1", Chunk("stdout", "a")))


def test_a_cancelled_task_has_ended_when_nothing_more_comes() -> None:
    guarded = GuardedExecutor(Odd([]), "")
    guarded.cancel(guarded.submit(TASK), 0.1)
    assert list(guarded.events()) == [("1", Done(Result(status=INTERRUPTED)))]


class Stuck(Odd):
    """Does not return from a call."""

    def __init__(self, call: str) -> None:
        super().__init__([])
        self._call = call

    def submit(self, task: Task) -> str:
        if self._call == "submit":
            time.sleep(600)
        return task.id

    def events(self) -> Iterator[tuple[str, TaskEvent]]:
        yield "1", Chunk("stdout", "a")
        time.sleep(600)

    def close(self) -> None:
        if self._call == "close":
            time.sleep(600)

    def cancel(self, handle: str, grace_s: float) -> None:
        if self._call == "cancel":
            time.sleep(600)


def test_a_call_that_does_not_return_is_told() -> None:
    with pytest.raises(ExecutorError, match=r"submit\(\) of the executor Stuck has not returned"):
        PatientExecutor(Stuck("submit"), 0.1).submit(TASK)
    with pytest.raises(ExecutorError, match=r"close\(\) of the executor Stuck has not returned"):
        PatientExecutor(Stuck("close"), 0.1).close()


@pytest.mark.parametrize("call", ["none", "cancel"])
def test_a_task_whose_end_is_not_told_in_time_ends_it(call: str) -> None:
    late = PatientExecutor(Stuck(call), 0.1)
    late.submit(replace(TASK, timeout_s=0.1) if call == "none" else TASK)
    events = late.events()
    handle, _ = next(events)
    if call == "cancel":
        late.cancel(handle, 0.1)
    with pytest.raises(ExecutorError, match="Stuck has not reported the end of the task 1"):
        next(events)


def test_somebodys_executor_is_named_as_it_is_called() -> None:
    patient = PatientExecutor(Odd([RuntimeError("gone")]))
    guarded = GuardedExecutor(patient, "")
    guarded.submit(TASK)
    with pytest.raises(ExecutorError, match="the executor Odd failed: RuntimeError: gone"):
        list(guarded.events())
    with pytest.raises(ValueError, match="no idea"):
        patient.capacity()


def test_what_it_raises_names_it() -> None:
    with pytest.raises(ExecutorError, match="Odd failed: RuntimeError: gone") as raised:
        events_of(RuntimeError("gone"))
    assert raised.value.fix == "mend it"
    with pytest.raises(ExecutorError, match="Odd failed: ValueError: no idea"):
        GuardedExecutor(Odd([]), "").capacity()


def test_what_an_executor_has_to_say_is_asked_of_those_that_have_something() -> None:
    talking = Odd([])
    talking.warnings = ["it is open to all"]  # type: ignore[attr-defined]

    assert warnings_of(Odd([])) == ()
    assert warnings_of(talking) == warnings_of(PatientExecutor(talking)) == ("it is open to all",)
