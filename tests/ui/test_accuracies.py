"""The accuracy of a review is computed once for each state of its decisions."""

from __future__ import annotations

from typing import Any

import pytest
from tests.review.conftest import create_review

from alo.review.deciding import decide, undo
from alo.review.decisions import NewDecision
from alo.ui.studio import Studio


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The method of each estimate that was computed."""
    from alo.ui import accuracies

    done: list[str] = []
    real = accuracies.accuracy_of

    def counted(*given: Any) -> Any:
        done.append(given[2])
        return real(*given)

    monkeypatch.setattr(accuracies, "accuracy_of", counted)
    return done


def test_it_is_computed_again_when_something_was_said(studio: Studio, computed: list[str]) -> None:
    review = create_review(studio.database)
    record = studio.reviews.items(review, limit=1)[0].id
    for _ in range(2):
        studio.accuracies.of(review)
    assert computed == ["stratified"]

    sent = NewDecision(key="k", record=record, verdict="accept")
    decide(studio.database, review.name, [sent], person="ada", time="t")
    studio.accuracies.of(review)
    undo(studio.database, review.name, person="ada", time="t")
    studio.accuracies.of(review)
    studio.reviews.change_labels(review.name, lambda labels: labels.rename("good", "fine"))
    studio.accuracies.of(studio.reviews.get(review.name))
    studio.accuracies.of(review, "ppi")

    assert computed == ["stratified"] * 4 + ["ppi"]


def test_of_many_reviews_the_oldest_estimates_are_forgotten(
    studio: Studio, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.ui.accuracies.KEPT", 2)
    reviews = [create_review(studio.database, name) for name in ("one", "two", "three")]

    for review in (*reviews, reviews[2], reviews[0]):
        studio.accuracies.of(review)

    assert len(computed) == 4


def test_a_large_one_is_not_waited_for(
    studio: Studio, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review = create_review(studio.database)
    monkeypatch.setattr("alo.ui.accuracies.AT_ONCE", 5)

    assert studio.accuracies.at_once(review) is None
    found = studio.accuracies.of(review)
    assert studio.accuracies.at_once(review) == found
    assert len(computed) == 1
