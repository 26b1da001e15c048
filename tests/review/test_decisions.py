"""What becomes of a decision: nobody's word is overwritten unseen, the last one counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.review.decisions import (
    NOTHING_SAID,
    STATES,
    VERDICTS,
    Conflict,
    Decision,
    NewDecision,
    Outcome,
    RecordState,
    Refuse,
    Reviewed,
    Save,
    Unchanged,
    both_looks,
    judge,
    state_of,
)

LABELS = {"good": "good", "bad": "bad"}
PLAIN, TWICE = Reviewed(predicted="good"), Reviewed(predicted="good", is_second_look=True)


class Record:
    """A record and what was said of it."""

    def __init__(self, record: Reviewed) -> None:
        self.record = record
        self.past: list[Decision] = []

    def say(
        self,
        person: str,
        verdict: str,
        label: str | None = None,
        *,
        seen: int | str | None = "now",
        replace: bool = False,
        note: str = "",
        operator: bool = False,
    ) -> Outcome:
        if seen == "now":
            seen = self.seen_by(person).seen
        assert not isinstance(seen, str)
        sent = NewDecision(
            key=str(len(self.past)),
            record="r:0",
            verdict=verdict,
            label=label,
            note=note,
            seen=seen,
            replace=replace,
        )
        outcome = judge(sent, self.record, self.past, LABELS, person, may_settle=operator)
        if isinstance(outcome, Save):
            number = len(self.past) + 1
            self.past.append(
                Decision(
                    number=number,
                    verdict=verdict,
                    label=outcome.label,
                    note=note,
                    person=person,
                    time=f"t{number}",
                    look=outcome.look,
                )
            )
        return outcome

    def seen_by(self, person: str | None = None) -> RecordState:
        return state_of(self.record, self.past, person)


def test_the_last_decision_counts_and_says_who_made_it() -> None:
    record = Record(PLAIN)
    record.say("ada", "accept")

    record.say("ada", "change", "bad", note="a shadow")

    assert record.seen_by() == RecordState(
        state="changed", label="bad", note="a shadow", seen=2, by="ada", at="t2"
    )


@pytest.mark.parametrize(
    ("verdict", "state"), [("accept", "accepted"), ("skip", "skipped"), ("flag", "flagged")]
)
def test_each_verdict_has_its_state(verdict: str, state: str) -> None:
    record = Record(PLAIN)

    record.say("ada", verdict)

    assert record.seen_by().state == state
    assert record.seen_by().label == ("good" if verdict == "accept" else None)


def test_what_another_said_unseen_is_a_conflict_and_stays_until_it_is_replaced() -> None:
    record = Record(PLAIN)
    record.say("ada", "change", "bad")

    outcome = record.say("bo", "accept", seen=None)

    assert outcome == Conflict(record.past[0])
    assert record.seen_by().label == "bad"
    assert isinstance(record.say("bo", "accept", seen=None, replace=True), Save)
    assert record.seen_by().label == "good"


def test_a_decision_of_ones_own_in_another_tab_is_no_less_a_conflict() -> None:
    record = Record(PLAIN)
    record.say("ada", "change", "bad")

    assert isinstance(record.say("ada", "accept", seen=None), Conflict)


def test_two_who_say_the_same_do_not_disagree() -> None:
    record = Record(PLAIN)
    record.say("ada", "change", "bad", note="sure")

    assert record.say("bo", "change", "bad", seen=None) == Unchanged()


def test_who_has_seen_the_others_word_may_change_it() -> None:
    record = Record(PLAIN)
    record.say("ada", "change", "bad")

    assert record.say("bo", "accept") == Save("good", 1)


def test_the_same_again_changes_nothing() -> None:
    record = Record(PLAIN)
    record.say("ada", "accept")

    assert record.say("ada", "accept") == Unchanged()
    assert Record(PLAIN).say("ada", "reset") == Unchanged()


def test_a_reset_leaves_the_record_undecided_with_its_place_in_the_order() -> None:
    record = Record(PLAIN)
    record.say("ada", "accept")

    record.say("ada", "reset")

    assert record.seen_by() == RecordState(state="undecided", seen=2)
    assert isinstance(record.say("bo", "accept", seen=None), Conflict)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (NewDecision(key="k", record="r", verdict="burn"), "none of accept"),
        (NewDecision(key="k", record="r", verdict="change"), "needs a label"),
        (NewDecision(key="k", record="r", verdict="change", label="odd"), "no label is called"),
        (NewDecision(key="k", record="r", verdict="skip", note="x" * 2001), "2,000 characters"),
    ],
)
def test_what_makes_no_sense_is_refused(sent: NewDecision, why: str) -> None:
    outcome = judge(sent, PLAIN, [], LABELS, "ada", may_settle=True)

    assert isinstance(outcome, Refuse)
    assert why in outcome.why


def test_who_looks_second_does_not_see_what_was_said_first() -> None:
    record = Record(TWICE)
    record.say("ada", "change", "bad", note="hm")

    assert record.seen_by("bo") == NOTHING_SAID
    assert record.seen_by("ada").label == "bad"
    assert record.seen_by(None).label == "bad"


def test_two_who_agree_unseen_leave_the_label() -> None:
    record = Record(TWICE)
    record.say("ada", "change", "bad")

    assert record.say("bo", "change", "bad") == Save("bad", 2)
    assert record.seen_by().label == "bad"
    assert both_looks(record.past) == (record.past[0], record.past[1])


def test_two_who_differ_wait_for_a_third_or_an_operator() -> None:
    record = Record(TWICE)
    record.say("ada", "accept")
    record.say("bo", "change", "bad")

    assert record.seen_by().state == "conflict"
    assert record.seen_by("ada").state == "conflict"
    assert isinstance(record.say("bo", "accept"), Refuse)
    assert record.say("cy", "change", "bad") == Save("bad", 3)
    assert record.seen_by() == RecordState(state="changed", label="bad", seen=3, by="cy", at="t3")


def test_an_operator_who_looked_may_settle_it() -> None:
    record = Record(TWICE)
    record.say("ada", "accept")
    record.say("bo", "change", "bad")

    assert record.say("bo", "accept", operator=True) == Save("good", 3)


def test_what_was_settled_and_taken_back_is_a_conflict_again() -> None:
    record = Record(TWICE)
    record.say("ada", "accept")
    record.say("bo", "change", "bad")
    record.say("cy", "accept")

    record.say("cy", "reset")

    assert (record.seen_by().state, record.seen_by().seen) == ("conflict", 4)


def test_the_first_may_still_change_their_word_and_the_second_theirs() -> None:
    record = Record(TWICE)
    record.say("ada", "accept")
    record.say("bo", "accept")

    assert record.say("ada", "change", "bad") == Save("bad", 1)
    assert record.seen_by().state == "conflict"


def test_a_first_look_that_was_taken_back_is_anyones() -> None:
    record = Record(TWICE)
    record.say("ada", "accept")
    record.say("ada", "reset")

    assert record.say("bo", "accept") == Save("good", 1)


SAID = st.tuples(
    st.sampled_from(["ada", "bo", "cy"]),
    st.sampled_from(VERDICTS),
    st.sampled_from([None, "good", "bad"]),
    st.booleans(),
)


@given(record=st.sampled_from([PLAIN, TWICE]), said=st.lists(SAID, max_size=12))
def test_whatever_is_said_the_state_is_one_of_those_and_labels_are_there_where_it_says_so(
    record: Reviewed, said: Sequence[tuple[str, str, str | None, bool]]
) -> None:
    kept = Record(record)
    for person, verdict, label, replace in said:
        kept.say(person, verdict, label, replace=replace)
        for who in (None, "ada", "bo", "cy"):
            state = kept.seen_by(who)
            assert state.state in STATES
            assert (state.label is not None) == (state.state in ("accepted", "changed"))
