"""The decisions about a request, without any process or socket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alo.workers.protocol import ASSET_RUN, Failure, Finished, Request, Stage, Summary
from alo.workers.state_machine import (
    Desk,
    Done,
    PutAside,
    SendArtifacts,
    SendFailure,
    SendSummary,
    Start,
    Tell,
)

REQUEST = Request("r1")
SUMMARY = Summary({"result": "fine"}, ())
FAILURE = Failure(*ASSET_RUN, "broken")


def test_a_request_that_goes_well_is_answered_twice_and_then_done() -> None:
    desk = Desk()

    assert desk.take(REQUEST) == [Start(REQUEST)]
    assert desk.hear(Stage("run.train")) == [Tell("run.train")]
    assert desk.hear(SUMMARY) == [SendSummary(SUMMARY)]
    assert desk.hear(Finished(("a",))) == [SendArtifacts(SUMMARY, ("a",)), Done()]


def test_a_failure_goes_to_the_answers_that_were_not_sent() -> None:
    desk = Desk()
    desk.take(REQUEST)
    assert desk.hear(FAILURE) == [SendFailure(FAILURE, summary_was_sent=False), Done()]

    desk.take(REQUEST)
    desk.hear(SUMMARY)
    assert desk.hear(FAILURE) == [SendFailure(FAILURE, summary_was_sent=True), Done()]


def test_a_request_whose_worker_died_is_tried_once_more_and_then_put_aside() -> None:
    desk = Desk()
    desk.take(REQUEST)

    assert desk.worker_died("it died") == [Start(REQUEST)]
    aside, failed, done = desk.worker_died("it died again")

    assert aside == PutAside("it died again")
    assert isinstance(failed, SendFailure)
    assert failed.failure.kind == "died"
    assert done == Done()


def test_tries_of_others_count() -> None:
    assert Desk().take(REQUEST, tries=1) == [Start(REQUEST)]
    assert isinstance(Desk().take(REQUEST, tries=2)[0], PutAside)
    desk = Desk()
    desk.take(REQUEST, tries=1)
    assert isinstance(desk.worker_died("again")[0], PutAside)


def test_a_request_that_took_too_long_is_not_tried_again() -> None:
    desk = Desk()
    desk.take(REQUEST)

    failed, done = desk.time_is_over("60 s")

    assert isinstance(failed, SendFailure)
    assert failed.failure.kind == "timeout"
    assert done == Done()


@given(st.lists(st.sampled_from(["stage", "summary", "died", "failed", "finished", "late"])))
def test_whatever_happens_a_request_is_done_once_with_its_last_answer(events: list[str]) -> None:
    desk = Desk()
    actions = list(desk.take(REQUEST))
    for event in events:
        if any(isinstance(action, Done) for action in actions):
            break
        actions = {
            "stage": lambda: desk.hear(Stage("run")),
            "summary": lambda: desk.hear(SUMMARY),
            "died": lambda: desk.worker_died("died"),
            "failed": lambda: desk.hear(FAILURE),
            "finished": lambda: desk.hear(Finished(())),
            "late": lambda: desk.time_is_over("late"),
        }[event]()
        is_done = any(isinstance(action, Done) for action in actions)
        assert is_done == any(isinstance(each, SendArtifacts | SendFailure) for each in actions)
