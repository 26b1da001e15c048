"""Which decisions of a review count for the accuracy of the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.loop.accuracy_of import accuracy_of, every_item
from alo.loop.new_review import ReviewRequest, new_review
from alo.review.accuracy import Accuracy
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews
from alo.review.rows import ItemShown
from alo.review.settings import ReviewSettings

from .conftest import Predict


class Desk:
    """A review of one run, with all its 20 records at random, 4 of them uncertain, too."""

    def __init__(self, home: Path, database: Database) -> None:
        self.database, self.reviews = database, Reviews(database)
        request = ReviewRequest(
            name="r",
            person="ada",
            time="t",
            settings=ReviewSettings(certainty="p"),
            random=15,
            uncertain=2,
            seed=3,
        )
        self.review = new_review(Workspace(home), database, request).review

    @property
    def items(self) -> list[ItemShown]:
        return every_item(self.reviews, self.review)

    @property
    def random(self) -> list[ItemShown]:
        return [each for each in self.items if each.record.source == "random"]

    def say(self, item: ItemShown, verdict: str = "accept", label: str | None = None) -> None:
        seen = self.reviews.item(self.review, item.id).state.seen
        sent = NewDecision(
            key=f"{item.id}{verdict}{seen}", record=item.id, verdict=verdict, label=label, seen=seen
        )
        (result,) = decide(self.database, "r", [sent], person="ada", time="t")
        assert result.state == "saved"

    @property
    def accuracy(self) -> Accuracy:
        return accuracy_of(self.reviews, self.reviews.get("r"))


@pytest.fixture
def desk(home: Path, predict: Predict) -> Iterator[Desk]:
    predict()
    database = open_database(Workspace(home))
    yield Desk(home, database)
    database.close()


def test_random_items_count_up_to_the_first_that_is_undecided(desk: Desk) -> None:
    for each in [*desk.random[:11], desk.random[13]]:
        desk.say(each)

    assert desk.accuracy.reviewed["random"] == 11


def test_decided_ones_behind_an_undecided_one_wait_for_it_by_name(desk: Desk) -> None:
    for each in desk.random[:11]:
        desk.say(each)
    assert (desk.accuracy.waiting, desk.accuracy.waits_for) == (0, None)

    desk.say(desk.random[12])
    desk.say(desk.random[13])
    desk.say(desk.random[14], "skip")

    found = desk.accuracy
    assert (found.waiting, found.waits_for) == (2, desk.random[11].id)
    assert found.to_json()["waits_for"] == desk.random[11].id
    desk.say(desk.random[11])
    assert (desk.accuracy.waiting, desk.accuracy.reviewed["random"]) == (0, 14)


def test_what_was_skipped_or_flagged_is_left_out_and_the_next_ones_count(desk: Desk) -> None:
    desk.say(desk.random[0], "skip")
    desk.say(desk.random[1], "flag")
    for each in desk.random[2:14]:
        desk.say(each)

    assert desk.accuracy.reviewed["random"] == 12


def test_a_changed_label_is_an_error_of_the_model_until_labels_are_merged(desk: Desk) -> None:
    for each in desk.random:
        desk.say(each)
    wrong = desk.random[0]
    desk.say(wrong, "change", "bad" if wrong.record.predicted == "good" else "good")
    before = desk.accuracy.estimate

    desk.reviews.change_labels("r", lambda labels: labels.merge("bad", "good"))

    assert before is not None
    assert before < 1
    assert desk.accuracy.estimate == 1.0


def test_a_change_to_what_was_predicted_is_no_error(desk: Desk) -> None:
    for each in desk.random:
        desk.say(each, "change", each.record.predicted)

    assert desk.accuracy.estimate == 1.0


def test_uncertain_ones_count_in_their_order_also_where_they_are_random_ones_too(
    desk: Desk,
) -> None:
    unsure = sorted(
        (each for each in desk.items if each.record.uncertain_place is not None),
        key=lambda each: each.record.uncertain_place or 0,
    )
    desk.say(unsure[0])

    assert desk.accuracy.reviewed["uncertain"] == 1
    for each in unsure[1:]:
        desk.say(each)
    assert desk.accuracy.reviewed["uncertain"] == len(unsure)
    assert len(unsure) >= 2


def test_what_was_looked_up_by_hand_never_counts(desk: Desk) -> None:
    outside = next(each for each in desk.items if each.record.source is None)
    for each in desk.random:
        desk.say(each)
    before = desk.accuracy

    desk.say(outside, "change", "bad" if outside.record.predicted == "good" else "good")

    assert desk.accuracy.reviewed["picked"] == 1
    assert (desk.accuracy.estimate, desk.accuracy.low) == (before.estimate, before.low)
