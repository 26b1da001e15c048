"""A filter finds the records that a person would find by looking at all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from alo.database.connection import Database
from alo.review.deciding import decide
from alo.review.decisions import STATES, NewDecision
from alo.review.finding import NO_SOURCE, Finder, RecordFilter
from alo.review.reviews import Reviews, shown
from alo.review.rows import ItemShown, Review, decisions_at

from .conftest import MakeReview

PEOPLE = ("ada", "bob", None)
keys = itertools.count()


@pytest.fixture
def review(make_review: MakeReview, database: Database) -> Review:
    """Ada has decided on every second one of the queue, Bob on some that she has, too."""
    review = make_review(
        records=40, random=16, uncertain=4, second_look=0.5, asked={"second_look": 0.5}
    )
    say = _saying(database, review)
    queue = Reviews(database).items(review, queue_only=True)
    verdicts = itertools.cycle(("accept", "change", "skip", "flag"))
    for item in queue[::2]:
        say("ada", item.id, next(verdicts))
    again = [each.id for each in queue if each.record.is_second_look]
    for record in again[:4]:
        say("bob", record, "change")
    say("ada", review.record_id(39), "accept")  # it was in nobody's queue
    return review


def _saying(database: Database, review: Review) -> Callable[[str, str, str], None]:
    def say(person: str, record: str, verdict: str) -> None:
        item = Reviews(database).item(review, record, person)
        sent = NewDecision(
            key=str(next(keys)),
            record=record,
            verdict=verdict,
            label="good" if verdict == "change" else None,
            seen=item.state.seen,
        )
        decide(database, review.name, [sent], person=person, time="2026-01-01T00:00:00Z")

    return say


def all_items(database: Database, review: Review, person: str | None) -> list[ItemShown]:
    records = [each.record for each in Reviews(database).items(review)]
    said = decisions_at(database.read, review.number, [each.at for each in records])
    return [shown(review, each, said.get(each.at, []), person) for each in records]


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("state", STATES)
def test_a_filter_by_state_finds_what_the_person_sees_in_that_state(
    review: Review, database: Database, person: str | None, state: str
) -> None:
    finder, wanted = Finder(database, review, person), RecordFilter(states=[state])

    found = [each.id for each in finder.items(wanted, limit=100)]

    seen = [each.id for each in all_items(database, review, person) if each.state.state == state]
    assert found == seen
    assert finder.count(wanted) == len(seen)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("label", ["good", "bad"])
def test_a_filter_by_label_finds_what_the_person_sees_with_that_label(
    review: Review, database: Database, person: str | None, label: str
) -> None:
    found = Finder(database, review, person).items(RecordFilter(label=label), limit=100)

    seen = [each.id for each in all_items(database, review, person) if each.label == label]
    assert [each.id for each in found] == seen
    assert seen


def test_a_label_is_found_by_its_name_of_now(review: Review, database: Database) -> None:
    before = len(Finder(database, review, None).items(RecordFilter(label="good"), limit=100))

    merged = Reviews(database).change_labels(
        review.name, lambda labels: labels.rename("good", "fine").merge("bad", "fine")
    )

    finder = Finder(database, merged, None)
    assert finder.items(RecordFilter(label="good"), limit=100) == []
    assert finder.count(RecordFilter(label="fine")) > before


@pytest.mark.parametrize("sources", [["random"], ["uncertain", "picked"], [NO_SOURCE, "random"]])
def test_a_filter_by_source_and_prediction_finds_both(
    review: Review, database: Database, sources: list[str]
) -> None:
    wanted = RecordFilter(sources=sources, predicted="good")

    found = Finder(database, review, "ada").items(wanted, limit=100)

    assert [each.id for each in found] == [
        each.id
        for each in all_items(database, review, "ada")
        if (each.record.source or NO_SOURCE) in sources and each.record.predicted == "good"
    ]


def test_pages_follow_one_another_without_a_gap(review: Review, database: Database) -> None:
    finder, wanted = Finder(database, review, "bob"), RecordFilter(states=["undecided"])
    pages: list[str] = []
    after = -1
    while page := finder.items(wanted, after=after, limit=7):
        pages += [each.id for each in page]
        after = page[-1].record.place

    assert pages == [each.id for each in finder.items(wanted, limit=100)]


def test_a_database_of_before_knows_the_labels_of_its_records(
    review: Review, database: Database
) -> None:
    from alo.database.migrations import MIGRATIONS

    fill = next(each for each in MIGRATIONS[2] if each.startswith("UPDATE"))
    before = database.read("SELECT at, label FROM review_records ORDER BY at")

    with database.transaction() as rows:
        rows.execute("UPDATE review_records SET label = NULL")
        rows.execute(fill)

    assert database.read("SELECT at, label FROM review_records ORDER BY at") == before
    assert any(label for _, label in before)


def test_a_filter_knows_of_more_second_looks_than_a_database_takes_parameters(
    review: Review, database: Database
) -> None:
    finder = Finder(database, review, "bob")
    seen = next(iter(finder._otherwise.values()))
    unseen = RecordFilter(states=("accepted", "changed", "skipped", "flagged"))
    before = finder.count(unseen)
    finder._otherwise = {**finder._otherwise, **dict.fromkeys(range(1000, 80_000), seen)}

    assert finder.count(unseen) == before


def test_a_prediction_is_found_by_what_looks_so(
    make_review: MakeReview, database: Database
) -> None:
    review = make_review(records=10)

    found = Finder(database, review, "ada").items(RecordFilter(predicted="go\u200bod"), limit=10)

    assert {each.record.predicted for each in found} == {"good"}
