"""The class mix of requests, and how far it is from that of a train run."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.alarms.class_mix import (
    MOST_CLASSES,
    OTHERS,
    Shares,
    distance,
    mean_of,
    normalized,
    shares_of,
    total_variation,
)

MIXES = st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 1), min_size=1).map(normalized)
TRAIN = {"a": 0.5, "b": 0.3, "c": 0.2}


def drawn(shares: Shares, count: int, seed: int) -> list[Shares]:
    chosen = random.Random(seed).choices(list(shares), list(shares.values()), k=count)  # noqa: S311
    return [{name: 1.0} for name in chosen]


def test_a_request_adds_its_probability_or_else_its_result() -> None:
    assert shares_of("a", {"a": 0.75, "b": 0.25}) == {"a": 0.75, "b": 0.25}
    assert shares_of("ok", {}) == {"ok": 1}
    assert shares_of("ok", None) == {"ok": 1}
    assert shares_of("", {}) == {}
    assert shares_of(None, "no mapping") == {}


@pytest.mark.parametrize("odd", [{"a": -1, "b": 2}, {"a": math.nan}, {"a": "x"}, {"a": 0}, {}])
def test_what_is_no_mix_is_none(odd: dict[str, object]) -> None:
    assert normalized(odd) == {}


def test_names_are_texts_and_the_rarest_of_many_classes_count_as_one() -> None:
    assert normalized({7: 1}) == {"7": 1}

    many = normalized({f"c{number}": 1 for number in range(2 * MOST_CLASSES)})

    assert len(many) == MOST_CLASSES + 1
    assert many[OTHERS] == pytest.approx(0.5)


@given(MIXES, MIXES, MIXES)
def test_total_variation_is_a_distance_from_0_to_1(one: Shares, two: Shares, far: Shares) -> None:
    assert total_variation(one, one) == 0
    assert total_variation(one, two) == pytest.approx(total_variation(two, one))
    assert 0 <= total_variation(one, two) <= 1 + 1e-9
    way = total_variation(one, far) + total_variation(far, two)
    assert total_variation(one, two) <= way + 1e-9
    assert total_variation(one, {"z": 1.0}) == pytest.approx(1)


@given(st.lists(MIXES, min_size=1, max_size=8))
def test_the_mean_of_mixes_is_a_mix(mixes: list[Shares]) -> None:
    assert sum(mean_of(mixes).values()) == pytest.approx(1)


def test_the_same_requests_give_the_same_numbers() -> None:
    mixes = drawn(TRAIN, 60, seed=1)

    assert distance(mixes, TRAIN) == distance(list(mixes), dict(TRAIN))


def test_requests_of_the_train_runs_mix_are_within_chance_and_others_are_not() -> None:
    same = [distance(drawn(TRAIN, 100, seed), TRAIN) for seed in range(100)]
    other = [distance(drawn({"a": 0.1, "c": 0.9}, 100, seed), TRAIN) for seed in range(100)]

    assert sum(each.is_beyond_chance for each in same) <= 10
    assert all(each.is_beyond_chance for each in other)


def test_the_band_has_the_distance_of_all_such_requests() -> None:
    true = total_variation({"a": 0.2, "b": 0.8}, TRAIN)
    bands = [distance(drawn({"a": 0.2, "b": 0.8}, 80, seed), TRAIN).band for seed in range(100)]

    assert sum(low <= true <= high for low, high in bands) >= 90


def test_more_requests_leave_less_to_chance() -> None:
    few, many = (distance(drawn(TRAIN, count, seed=3), TRAIN).margin for count in (50, 5000))

    assert many < few / 5
