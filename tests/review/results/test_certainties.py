"""Certainties and probabilities of predictions: those of the columns, and none where one is odd."""

from __future__ import annotations

import pytest

from alo.review.results.certainties import certainties
from alo.review.settings import ReviewSettings

COLUMNS = ["prediction", "p", "q"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ReviewSettings(), (None, {})),
        (ReviewSettings(certainty="p"), (0.7, {})),
        (ReviewSettings(probabilities={"good": "p"}), (0.7, {"good": 0.7})),
        (ReviewSettings(probabilities={"bad": "p"}), (1 - 0.7, {"bad": 0.7})),
        (
            ReviewSettings(probabilities={"bad": "p", "good": "q"}),
            (0.3, {"bad": 0.7, "good": 0.3}),
        ),
        (
            ReviewSettings(probabilities={"bad": "p", "poor": "q"}),
            (None, {"bad": 0.7, "poor": 0.3}),
        ),
    ],
)
def test_the_certainty_is_that_of_the_predicted_class(
    settings: ReviewSettings, expected: tuple[float | None, dict[str, float]]
) -> None:
    assert certainties(COLUMNS, settings, [])(["good", "0.7", "0.3"], "good") == expected


@pytest.mark.parametrize("odd", ["", "x", "nan", "inf", "-0.1", "1.1"])
def test_what_is_no_share_is_not_known_and_takes_the_other_probabilities_with_it(odd: str) -> None:
    both = certainties(
        COLUMNS, ReviewSettings(certainty="p", probabilities={"good": "q", "bad": "p"}), []
    )

    assert both(["good", odd, "0.3"], "good") == (None, {})
    assert both(["good"], "good") == (None, {})


def test_probabilities_that_do_not_sum_are_noted_once() -> None:
    notes: list[str] = []
    both = certainties(COLUMNS, ReviewSettings(probabilities={"good": "q", "bad": "p"}), notes)

    for row in (["good", "0.7", "0.3"], ["good", "0.9", "0.9"], ["good", "0.8", "0.8"]):
        both(row, "good")

    assert notes == ["probabilities that do not sum to 1: 1.8"]


def test_what_is_no_share_is_noted_once_for_each_column_and_an_empty_cell_is_not() -> None:
    notes: list[str] = []
    one = certainties(COLUMNS, ReviewSettings(certainty="p"), notes)

    for cell in ("", "nan", "7"):
        one(["good", cell, "0.3"], "good")

    assert notes == ["'p' is no number from 0 to 1: nan"]
