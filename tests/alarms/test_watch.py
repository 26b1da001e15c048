"""When an alarm is raised and when it ends, over any row of requests."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from alo.alarms.class_mix import UNKNOWN, Shares
from alo.alarms.watch import NOTHING_SEEN, Change, Outcome, Watch, outcome_of
from alo.plan.model import Alarm

SCORES = st.lists(st.floats(0, 1), max_size=60)
TENTHS = st.integers(1, 10).map(lambda number: number / 10)


def no_mix(model: str) -> Shares:
    return UNKNOWN


def changes_of(alarm: Alarm, outcomes: Iterable[Outcome]) -> list[Change]:
    watch = Watch(alarm, NOTHING_SEEN, (), no_mix)
    return [change for outcome in outcomes for change in watch.see(outcome)]


def states_after(alarm: Alarm, flags: Sequence[bool], share: float) -> list[str]:
    """What is to come of it, by counting anew after each request."""
    size, is_raised, found = alarm.of_last or 1, False, []
    for end in range(size, len(flags) + 1):
        count, limit = sum(flags[end - size : end]), Fraction(str(share)) * size
        if not is_raised and count >= limit:
            is_raised = True
            found.append("raised")
        elif is_raised and count < limit / 2:
            is_raised = False
            found.append("ended")
    return found


@given(SCORES, st.floats(0.05, 1), st.integers(1, 20), TENTHS)
def test_a_share_of_the_last_scores_raises_it_and_half_of_that_ends_it(
    scores: list[float], below: float, size: int, share: float
) -> None:
    alarm = Alarm(below, size, share)

    changes = changes_of(alarm, map(Outcome, scores))

    flags = [score < below for score in scores]
    assert [change.state for change in changes] == states_after(alarm, flags, share)
    assert all(change.requests == size and change.limit == share for change in changes)


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 20), TENTHS)
def test_a_share_of_failures_raises_it(failed: list[bool], size: int, share: float) -> None:
    alarm = Alarm(failures=share, of_last=size)

    changes = changes_of(alarm, [Outcome(has_failed=each) for each in failed])

    assert [change.state for change in changes] == states_after(alarm, failed, share)


@given(SCORES, st.floats(0.05, 1))
def test_without_a_window_each_request_counts(scores: list[float], below: float) -> None:
    changes = changes_of(Alarm(below), map(Outcome, scores))

    expected, is_low = [], False
    for score in scores:
        if (score < below) != is_low:
            is_low = score < below
            state = "raised" if is_low else "ended"
            expected.append(Change("score_below", state, round(score, 6), below, 1))
    assert changes == expected


@given(SCORES, st.lists(st.booleans(), max_size=60), st.integers(1, 9), st.integers(0, 59))
def test_a_service_that_starts_again_continues_as_if_it_had_not_ended(
    scores: list[float], failed: list[bool], size: int, at: int
) -> None:
    alarm = Alarm(0.5, size, 0.4, failures=0.3)
    outcomes = [
        Outcome(score, has_failed) for score, has_failed in zip(scores, failed, strict=False)
    ]

    first = Watch(alarm, NOTHING_SEEN, (), no_mix)
    changes = [change for outcome in outcomes[:at] for change in first.see(outcome)]
    raised = {change.alarm for change in changes if change.state == "raised"}
    for change in changes:  # the last word of each alarm counts
        (raised.add if change.state == "raised" else raised.discard)(change.alarm)
    second = Watch(alarm, first.window, raised, no_mix)
    changes += [change for outcome in outcomes[at:] for change in second.see(outcome)]

    assert changes == changes_of(alarm, outcomes)


def test_a_request_without_a_score_is_none_of_the_last_scores() -> None:
    alarm = Alarm(0.5, 2, 1.0)

    changes = changes_of(alarm, [Outcome(0.1), Outcome(has_failed=True), Outcome(), Outcome(0.2)])

    assert changes == [Change("score_below", "raised", 1.0, 1.0, 2)]


def test_a_tenth_of_thirty_is_three_whatever_floats_make_of_it() -> None:
    alarm = Alarm(failures=0.1, of_last=30)

    few = [Outcome(has_failed=number < 2) for number in range(30)]
    enough = [Outcome(has_failed=number < 3) for number in range(30)]

    assert changes_of(alarm, few) == []
    assert changes_of(alarm, enough) == [Change("failures", "raised", 0.1, 0.1, 30)]


def labels(mix: Shares, count: int, model: str = "m", seed: int = 0) -> list[Outcome]:
    chosen = random.Random(seed).choices(list(mix), list(mix.values()), k=count)  # noqa: S311
    return [Outcome(shares={label: 1.0}, model=model) for label in chosen]


TRAIN = {"a": 0.5, "b": 0.5}


def mix_of(model: str) -> Shares:
    return TRAIN if model == "m" else UNKNOWN


def test_another_class_mix_raises_it_and_that_of_the_train_run_ends_it() -> None:
    watch = Watch(Alarm(class_mix=0.2, of_last=50), NOTHING_SEEN, (), mix_of)
    states = []
    for outcomes in (labels(TRAIN, 50), labels({"a": 1.0}, 50), labels(TRAIN, 50, seed=4)):
        for outcome in outcomes:
            watch.see(outcome)
        states += [change.state for change in watch.look()]

    assert states == ["raised", "ended"]


def test_too_few_requests_and_an_unknown_train_run_raise_nothing() -> None:
    for outcomes in (labels({"z": 1.0}, 49), labels({"z": 1.0}, 50, model="other")):
        watch = Watch(Alarm(class_mix=0.2, of_last=50), NOTHING_SEEN, (), mix_of)
        for outcome in outcomes:
            watch.see(outcome)

        assert watch.look() == []


def test_another_model_begins_anew() -> None:
    watch = Watch(Alarm(class_mix=0.2, of_last=20), NOTHING_SEEN, (), mix_of)
    for outcome in (*labels({"z": 1.0}, 30, "before"), *labels(TRAIN, 19)):
        watch.see(outcome)

    assert len(watch.window.mixes) == 19
    assert watch.window.model == "m"


def test_what_a_summary_says_of_a_request() -> None:
    summary = {"score": 1, "result": "ok", "probability": {"a": 1}}

    assert outcome_of(summary, has_failed=False, model="m") == Outcome(1.0, False, {"a": 1}, "m")
    assert outcome_of(summary, has_failed=True, model="m") == Outcome(None, True, {}, "m")
    assert outcome_of(None, has_failed=True, model="") == Outcome(has_failed=True)
    assert outcome_of({"score": True}, has_failed=False, model="").score is None
    assert outcome_of({"score": "high"}, has_failed=False, model="").score is None
