"""The order in which a front end is called, whatever its worker does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alo.errors import ServeError
from alo.workers.driver import Driver
from alo.workers.handle import RequestTimeoutError, WorkerDiedError
from alo.workers.pace import Pace, Pause
from alo.workers.protocol import ASSET_RUN, Failure, Finished, Message, Request, Stage, Summary
from alo.workers.state_machine import SendFailure

REQUEST = Request("r1")
SUMMARY = Summary({"result": "fine"}, ())
FAILURE = Failure(*ASSET_RUN, "broken")
Tries = list[list[Message | Exception]]


class FakeWorker:
    """Gives the messages of one try after the other; an exception ends a try."""

    def __init__(self, tries: Tries) -> None:
        self._tries = iter(tries)
        self.limits: list[float | None] = []

    def steps(
        self, request: Request, limit_s: float | None, meanwhile: Callable[[], object], pace: Pace
    ) -> Iterator[Message | Pause]:
        assert request == REQUEST
        self.limits.append(limit_s)
        if not pace.may_wait:
            yield Pause.WORKER
        for message in next(self._tries):
            if isinstance(message, Exception):
                raise message
            yield message
            meanwhile()


class Recorder:
    """A front end that notes what it is called with."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def report(self, stage: str) -> None:
        self.calls.append(stage)

    def send_summary(self, summary: Summary) -> None:
        self.calls.append(summary)

    def send_artifacts(self, summary: Summary) -> None:
        self.calls.append("artifacts")

    def send_failure(self, action: SendFailure) -> None:
        self.calls.append(action)

    def count_try(self) -> None:
        self.calls.append("count")

    def flush(self) -> None:
        self.calls.append("flush")


def driven(tries: Tries, begun: int = 0) -> list[object]:
    """The calls of a front end, those of ``flush`` apart."""
    recorder = Recorder()
    worker = FakeWorker(tries)
    Driver(worker, recorder, 5.0).run(REQUEST, begun)  # type: ignore[arg-type]
    assert set(worker.limits) <= {5.0}
    return [call for call in recorder.calls if call != "flush"]


def test_a_request_that_goes_well() -> None:
    assert driven([[Stage("run"), SUMMARY, Finished(())]]) == ["run", SUMMARY, "artifacts"]


def test_a_try_is_counted_before_it_begins() -> None:
    died = WorkerDiedError("it died")

    calls = driven([[Stage("load"), SUMMARY, died], [Stage("run"), FAILURE]])

    failed = SendFailure(FAILURE, summary_was_sent=False)
    assert calls == ["load", SUMMARY, "count", "run", failed]


@pytest.mark.parametrize("begun", [0, 1])
def test_the_second_death_puts_it_aside_and_counts_nothing(begun: int) -> None:
    tries: Tries = [[WorkerDiedError(f"death {n}")] for n in range(begun, 2)]

    *before, last = driven(tries, begun)

    assert before == ["count"] * (1 - begun)
    failure = Failure(*ASSET_RUN, "death 1", kind="died")
    assert last == SendFailure(failure, summary_was_sent=False, put_aside=True)


def test_a_request_that_was_begun_too_often_is_not_begun() -> None:
    (failed,) = driven([], 2)

    assert isinstance(failed, SendFailure)
    assert failed.put_aside


def test_a_request_that_takes_too_long_is_answered() -> None:
    (summary, failed) = driven([[SUMMARY, RequestTimeoutError("it hangs")]])

    assert summary == SUMMARY
    failure = Failure(*ASSET_RUN, "it hangs", kind="timeout")
    assert failed == SendFailure(failure, summary_was_sent=True)


def test_what_is_held_back_is_sent_while_it_runs() -> None:
    recorder = Recorder()

    worker = FakeWorker([[Stage("run"), FAILURE]])
    Driver(worker, recorder, None).run(REQUEST)  # type: ignore[arg-type]

    assert recorder.calls[:2] == ["run", "flush"]


def test_a_fault_of_who_runs_it_goes_to_the_answers_that_were_not_sent() -> None:
    recorder = Recorder()
    worker = FakeWorker([[SUMMARY, ServeError("no worker can be started")]])
    driver = Driver(worker, recorder, None)  # type: ignore[arg-type]
    with pytest.raises(ServeError):
        driver.run(REQUEST)

    driver.fail(FAILURE)

    assert recorder.calls[-1] == SendFailure(FAILURE, summary_was_sent=True)


SMALL = Summary({"result": "fine"}, ("out.csv",), {"out.csv": b"a"})


@pytest.mark.parametrize(
    ("messages", "pauses"),
    [
        ([SMALL, Finished(())], [Pause.WORKER]),
        ([SUMMARY, Finished(())], [Pause.WORKER, Pause.LONG]),
        ([FAILURE], [Pause.WORKER, Pause.LONG]),
        ([Stage("run.a"), SMALL, Finished(())], [Pause.WORKER]),
    ],
    ids=["small files", "files to copy", "failure", "stage"],
)
def test_who_may_not_wait_is_stopped_before_what_takes_long(
    messages: list[Message], pauses: list[Pause]
) -> None:
    recorder = Recorder()
    worker = FakeWorker([[*messages]])
    steps = Driver(worker, recorder, None).steps(REQUEST, 0, Pace(may_wait=False))  # type: ignore[arg-type]

    seen = []
    for pause in steps:
        assert len(recorder.calls) <= len(seen)
        seen.append(pause)

    assert seen == pauses
    assert recorder.calls
