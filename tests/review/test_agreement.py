"""Agreement of two people, against a table whose kappa and error are known."""

from __future__ import annotations

import pytest

from alo.review.agreement import agreement


def test_kappa_of_a_table_is_what_it_is_by_hand() -> None:
    pairs = (
        [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    )  # agreed 0.7, by chance 0.5

    found = agreement(pairs)

    assert found.items == 50
    assert found.share == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high


def test_the_interval_of_kappa_has_the_error_of_fleiss_cohen_and_everitt() -> None:
    # For two classes with equal margins the formula is (1 - kappa^2 ... ) by hand: margins of one
    # half each, agreed 0.8: kappa 0.6, variance 4 * 0.8 * 0.2 / n.
    pairs = [("a", "a")] * 40 + [("b", "b")] * 40 + [("a", "b")] * 10 + [("b", "a")] * 10

    found = agreement(pairs)

    assert found.kappa == pytest.approx(0.6)
    assert found.high == pytest.approx(0.6 + 1.959964 * (4 * 0.8 * 0.2 / 100) ** 0.5, rel=1e-6)


def test_people_who_always_agree_on_several_labels_have_one() -> None:
    found = agreement([("a", "a"), ("b", "b")] * 5)

    assert (found.share, found.kappa) == (1.0, 1.0)


def test_one_label_alone_says_nothing_about_more_than_chance() -> None:
    found = agreement([("a", "a")] * 9)

    assert (found.share, found.kappa, found.low) == (1.0, None, None)


def test_nothing_seen_twice_is_no_agreement() -> None:
    assert agreement([]).to_json() == {
        "items": 0,
        "share": None,
        "kappa": None,
        "low": None,
        "high": None,
    }
