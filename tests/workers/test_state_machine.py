"""The decisions about a request, without any process or socket."""

from __future__ import annotations

from itertools import combinations
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from alo.workers.protocol import (
    ASSET_RUN,
    Booted,
    Failure,
    Finished,
    Message,
    Released,
    Request,
    Stage,
    Summary,
)
from alo.workers.state_machine import (
    Action,
    Report,
    RequestState,
    SendArtifacts,
    SendFailure,
    SendSummary,
    Start,
)

REQUEST = Request("r1")
SUMMARY = Summary({"result": "fine"}, ())
FAILURE = Failure(*ASSET_RUN, "broken")


def test_a_request_that_goes_well_is_answered_twice() -> None:
    state = RequestState()

    assert state.on_request(REQUEST) == Start(REQUEST)
    assert state.on_message(Stage("run.train")) == Report("run.train")
    assert state.on_message(SUMMARY) == SendSummary(SUMMARY)
    assert state.on_message(Finished(("a",))) == SendArtifacts(SUMMARY, ("a",))


def test_a_failure_goes_to_the_answers_that_were_not_sent() -> None:
    state = RequestState()
    state.on_request(REQUEST)
    assert state.on_message(FAILURE) == SendFailure(FAILURE, summary_was_sent=False)

    state.on_request(REQUEST)
    state.on_message(SUMMARY)
    assert state.on_message(FAILURE) == SendFailure(FAILURE, summary_was_sent=True)


def test_a_request_whose_worker_died_is_tried_once_more_and_then_put_aside() -> None:
    state = RequestState()
    state.on_request(REQUEST)

    assert state.on_worker_died("it died") == Start(REQUEST)
    failed = state.on_worker_died("it died again")

    assert isinstance(failed, SendFailure)
    assert failed.put_aside
    assert failed.failure == Failure(*ASSET_RUN, "it died again", kind="died")


def test_tries_of_others_count_and_one_of_them_leaves_one() -> None:
    state = RequestState()

    assert state.on_request(REQUEST, 1) == Start(REQUEST)
    assert isinstance(state.on_worker_died("it died"), SendFailure)
    fresh = RequestState()
    fresh.on_request(REQUEST, 0)
    assert fresh.on_worker_died("it died") == Start(REQUEST)
    assert isinstance(fresh.on_worker_died("it died"), SendFailure)
    assert isinstance(RequestState().on_request(REQUEST, 2), SendFailure)


def test_a_summary_of_the_first_try_does_not_count_in_the_second() -> None:
    state = RequestState()
    state.on_request(REQUEST)
    state.on_message(SUMMARY)

    assert state.on_worker_died("it died") == Start(REQUEST)

    assert state.on_message(Finished(())) is None
    assert state.on_message(FAILURE) == SendFailure(FAILURE, summary_was_sent=False)


def test_tries_of_others_count() -> None:
    assert RequestState().on_request(REQUEST, tries=1) == Start(REQUEST)
    given_up = RequestState().on_request(REQUEST, tries=2)
    assert isinstance(given_up, SendFailure)
    assert given_up.put_aside

    state = RequestState()
    state.on_request(REQUEST, tries=1)
    assert isinstance(state.on_worker_died("again"), SendFailure)


def test_a_request_that_took_too_long_is_not_tried_again() -> None:
    state = RequestState()
    state.on_request(REQUEST)

    failed = state.on_timeout("60 s")

    assert isinstance(failed, SendFailure)
    assert failed.failure.kind == "timeout"
    assert not failed.put_aside


def test_no_two_kinds_of_actions_or_messages_are_equal_and_none_is_false() -> None:
    kinds: list[type] = [*get_args(Action), *get_args(Message), Released]
    names = [each.__name__ for each in kinds]
    assert len(set(names)) == len(names)

    alike = [kind(*["x"] * _required(kind)) for kind in kinds]

    assert all(alike)
    assert all(one != other for one, other in combinations(alike, 2))
    assert Stage("x") == Stage("x")
    assert Booted("x") != ("x",)


def _required(kind: type) -> int:
    return kind.__init__.__code__.co_argcount - 1 - len(kind.__init__.__defaults__ or ())


@given(st.lists(st.sampled_from(["stage", "summary", "died", "failed", "finished", "late"])))
def test_whatever_happens_a_request_is_answered_for_the_last_time_once(events: list[str]) -> None:
    """``Finished`` without a summary is no answer; anything else that ends a request is."""
    state = RequestState()
    action: Action | None = state.on_request(REQUEST)
    tries, has_summary = 1, False
    for event in events:
        if isinstance(action, SendArtifacts | SendFailure):
            break
        action = {
            "stage": lambda: state.on_message(Stage("run")),
            "summary": lambda: state.on_message(SUMMARY),
            "died": lambda: state.on_worker_died("died"),
            "failed": lambda: state.on_message(FAILURE),
            "finished": lambda: state.on_message(Finished(())),
            "late": lambda: state.on_timeout("late"),
        }[event]()
        is_last = isinstance(action, SendArtifacts | SendFailure)
        expected = event in ("failed", "late") or (event == "finished" and has_summary)
        assert is_last == (expected or (event == "died" and tries == 2))
        tries += event == "died"
        has_summary = (has_summary or event == "summary") and event != "died"
