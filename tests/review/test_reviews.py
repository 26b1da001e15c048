"""Reviews in both databases: what is stored is there again, names and labels are kept apart."""

from __future__ import annotations

import pytest

from alo.database.connection import Database
from alo.errors import LabelError, UsageError
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.labels import Labels
from alo.review.results.records import FoundRecord
from alo.review.reviews import ReviewDraft, Reviews
from alo.review.rows import CLOSED, OPEN, PopulationRun

from .conftest import MakeReview


@pytest.fixture
def reviews(database: Database) -> Reviews:
    return Reviews(database)


def say(database: Database, record: str, label: str, person: str = "ada") -> None:
    sent = NewDecision(key=f"{record}{label}{person}", record=record, verdict="change", label=label)
    (result,) = decide(database, "patients", [sent], person=person, time="t")
    assert result.state == "saved"


def test_a_review_is_read_back_as_it_was_made(reviews: Reviews, make_review: MakeReview) -> None:
    made = make_review()

    found = reviews.get("patients")

    assert (found.name, found.state, found.person) == ("patients", OPEN, "ada")
    assert found.runs == made.runs
    assert list(found.labels.ids) == ["good", "bad"]
    assert [each.name for each in reviews.all()] == ["patients"]


def test_records_are_found_by_their_ids_and_no_other_text_is_one(
    reviews: Reviews, make_review: MakeReview
) -> None:
    review = make_review()

    assert [review.record_id(at) for at in (0, 4, 5, 9)] == [
        "run-a:0",
        "run-a:4",
        "run-b:0",
        "run-b:4",
    ]
    assert [review.place_of(review.record_id(at)) for at in range(10)] == list(range(10))
    for odd in ("run-a:5", "run-c:0", "run-a", "run-a:", "run-a:-1", "run-a:x", "", ":", "run-a:²"):
        assert review.place_of(odd) is None
    with pytest.raises(UsageError, match="has no record 'run-a:5'"):
        reviews.item(review, "run-a:5")


def test_a_review_of_whole_requests_has_records_named_as_its_runs(make_review: MakeReview) -> None:
    review = make_review(records=2, asked={"unit": "request"})

    assert [review.record_id(at) for at in range(2)] == ["run-a", "run-b"]
    assert review.place_of("run-b") == 1
    assert review.place_of("run-b:0") is None


def test_the_queue_comes_first_and_pages_follow_each_other(
    reviews: Reviews, make_review: MakeReview
) -> None:
    review = make_review()

    first = reviews.items(review, limit=6)
    rest = reviews.items(review, after=first[-1].record.place)

    assert [each.record.source for each in first[:4]] == ["random"] * 4
    assert {each.record.source for each in [*first[4:], *rest]} == {None}
    assert sorted(each.record.at for each in [*first, *rest]) == list(range(10))
    assert len(reviews.items(review, queue_only=True)) == 4


def test_an_item_says_all_that_a_script_needs(reviews: Reviews, make_review: MakeReview) -> None:
    item = reviews.items(make_review())[0].to_json()

    assert {
        "record", "content", "run", "predicted", "certainty", "probabilities", "label", "state",
        "source", "stratum", "weight", "seen", "by", "at",
    } <= set(item)  # fmt: skip
    assert (item["state"], item["label"], item["seen"], item["weight"]) == (
        "undecided", None, None, 2.5,
    )  # fmt: skip


def test_probabilities_of_classes_called_in_any_way_are_read_back(database: Database) -> None:
    given = {"100 %s": 0.25, 'the "odd" \\ {one}': 0.5, "Röte": 0.25}
    review = Reviews(database).create(
        ReviewDraft(
            name="odd",
            person="ada",
            created="2026-01-01T00:00:00Z",
            asked={"seed": 1},
            runs=[PopulationRun(id="run", first=0, records=1)],
            counts={"records": 1},
            labels=Labels.named(list(given)),
            records=[FoundRecord(0, "c0", "Röte", 0.25, given)],
            queue=[],
        )
    )

    (item,) = Reviews(database).items(review)

    assert item.record.probabilities == given


def test_two_reviews_of_one_name_and_odd_names_are_refused(make_review: MakeReview) -> None:
    make_review()

    with pytest.raises(UsageError, match="there is a review 'patients'"):
        make_review()
    for odd in ("", "..", ".x", "a/b", "a b", "x" * 101):
        with pytest.raises(UsageError, match="no review can be called"):
            make_review(odd)


def test_what_was_said_with_a_label_is_shown_by_its_new_name(
    database: Database, reviews: Reviews, make_review: MakeReview
) -> None:
    make_review()
    say(database, "run-a:1", "bad")

    review = reviews.change_labels("patients", lambda labels: labels.rename("bad", "ill"))

    item = reviews.item(review, "run-a:1")
    assert (item.label, item.state.label) == ("ill", "bad")


def test_a_label_in_use_is_deleted_only_into_another(
    database: Database, reviews: Reviews, make_review: MakeReview
) -> None:
    make_review()
    say(database, "run-a:1", "bad")

    with pytest.raises(LabelError, match="decisions name the label 'bad'"):
        reviews.remove_label("patients", "bad")
    review = reviews.remove_label("patients", "bad", into="good")

    assert list(review.labels.ids) == ["good"]
    assert reviews.item(review, "run-a:1").label == "good"


def test_a_label_into_which_one_in_use_was_merged_is_in_use(
    database: Database, reviews: Reviews, make_review: MakeReview
) -> None:
    make_review()
    say(database, "run-a:1", "bad")
    reviews.change_labels("patients", lambda labels: labels.merge("bad", "good"))

    with pytest.raises(LabelError):
        reviews.remove_label("patients", "good")


def test_a_label_that_nobody_gave_is_deleted(reviews: Reviews, make_review: MakeReview) -> None:
    make_review()

    assert list(reviews.remove_label("patients", "bad").labels.ids) == ["good"]
    with pytest.raises(LabelError):
        reviews.remove_label("patients", "bad")


def test_a_review_is_closed_reopened_and_removed_with_everything(
    database: Database, reviews: Reviews, make_review: MakeReview
) -> None:
    make_review()
    say(database, "run-a:1", "bad")

    assert reviews.set_state("patients", CLOSED).state == CLOSED
    assert reviews.set_state("patients", OPEN).state == OPEN
    reviews.remove("patients")

    assert reviews.all() == []
    for table in ("decisions", "review_records", "review_actions"):
        assert database.read(f"SELECT count(*) FROM {table}")[0][0] == 0  # noqa: S608
    for act in (reviews.get, reviews.remove):
        with pytest.raises(UsageError, match="no review 'patients'"):
            act("patients")


def test_agreement_is_that_of_the_records_which_two_people_labelled(
    database: Database, reviews: Reviews, make_review: MakeReview
) -> None:
    review = make_review(random=4, second_look=0.5)
    twice = [each.id for each in reviews.items(review) if each.record.is_second_look]
    assert len(twice) == 2
    for record, labels in zip(twice, (("good", "good"), ("good", "bad")), strict=True):
        for person, label in zip(("ada", "bo"), labels, strict=True):
            say(database, record, label, person)

    found = reviews.agreement(review)

    assert (found.items, found.share) == (2, 0.5)
    assert reviews.states(review)["conflict"] == 1
