"""The way through a queue: in its order, past what is decided, without what one must not see."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.review.conftest import MakeReview

from alo.database.connection import Database
from alo.errors import UsageError
from alo.review.deciding import decide, undo
from alo.review.decisions import NewDecision
from alo.review.finding import RecordFilter
from alo.review.reviews import Reviews
from alo.review.rows import Review
from alo.review.walk import LAST, Walk, last_said

EVERYTHING = RecordFilter()


def ids(database: Database, review: Review) -> list[str]:
    return [each.id for each in Reviews(database).items(review, queue_only=True)]


def say(database: Database, person: str, *records: str, label: str = "good") -> None:
    sent = [
        NewDecision(key=f"{person} {each}", record=each, verdict="change", label=label)
        for each in records
    ]
    decide(database, "patients", sent, person=person, time="now")


def test_it_begins_at_the_first_undecided_and_goes_on_in_the_order_of_the_queue(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=6)
    queue = ids(database, review)
    say(database, "ada", queue[0], queue[2])

    stretch = Walk(database, review, "ada", EVERYTHING).open(3)

    assert [each.id for each in stretch.items] == queue[1:4]
    assert (stretch.previous, stretch.next) == (queue[0], queue[4])


def test_behind_a_record_comes_the_next_undecided_and_at_the_end_the_first_again(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=6)
    queue = ids(database, review)
    say(database, "ada", queue[2], queue[5])
    walk = Walk(database, review, "ada", EVERYTHING)

    assert walk.open(1, after=queue[1]).items[0].id == queue[3]
    assert walk.open(1, after=queue[4]).items[0].id == queue[0]


def test_where_nothing_is_open_there_is_nothing(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=2)
    queue = ids(database, review)
    walk = Walk(database, review, "ada", EVERYTHING)
    say(database, "ada", queue[0])

    assert walk.open(5, after=queue[1]).items == ()
    say(database, "ada", queue[1])
    assert walk.open(5).items == ()


def test_a_record_is_shown_whatever_the_filter_finds(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=6)
    queue = ids(database, review)
    say(database, "ada", queue[3])
    walk = Walk(database, review, "ada", RecordFilter(states=["changed"]))

    assert [each.id for each in walk.at(queue[1], 9).items] == [queue[1], queue[3]]
    assert walk.open(9).items[0].id == queue[3]
    with pytest.raises(UsageError, match="no record"):
        walk.at("run-z:1", 1)


def test_what_nobody_queued_is_only_shown_when_it_is_asked_for(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=2)
    walk = Walk(database, review, "ada", EVERYTHING)
    shown = [each.id for each in walk.open(99).items]

    assert len(shown) == 2
    other = next(f"run-a:{n}" for n in range(5) if f"run-a:{n}" not in shown)
    assert walk.at(other, 1).items[0].id == other


def test_who_looks_second_finds_undecided_what_the_first_has_said(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=3, second_look=1.0)
    queue = ids(database, review)
    say(database, "ada", *queue)

    def first(person: str) -> Sequence[object]:
        return Walk(database, review, person, EVERYTHING).open(1).items

    assert first("ada") == ()
    assert [(each.id, each.label) for each in first("bob")] == [(queue[0], None)]  # type: ignore[attr-defined]


def test_the_last_decisions_of_a_person_come_newest_first(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(records=40, random=20)
    queue = ids(database, review)
    say(database, "ada", *queue[: LAST + 3])
    say(database, "bob", queue[-1], label="bad")

    found = last_said(database, review, "ada")

    assert [each.record for each in found] == queue[3 : LAST + 3][::-1]
    assert [(each.record, each.label) for each in last_said(database, review, "bob")] == [
        (queue[-1], "bad")
    ]


def test_what_an_undo_or_a_redo_has_said_is_marked_as_such(
    database: Database, make_review: MakeReview
) -> None:
    review = make_review(random=2)
    (record, _) = ids(database, review)
    sent = [NewDecision(key="s", record=record, verdict="skip")]
    decide(database, "patients", sent, person="ada", time="now")
    for redo in (False, True, False, True):
        undo(database, "patients", person="ada", time="now", redo=redo)

    found = last_said(database, review, "ada")

    assert [(each.taken, each.state) for each in reversed(found)] == [
        ("", "skipped"), ("undone", "undecided"), ("redone", "skipped"),
        ("undone", "undecided"), ("redone", "skipped"),
    ]  # fmt: skip
