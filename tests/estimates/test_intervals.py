"""Intervals of a share: known values, and what every interval must hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.estimates.intervals import at_most, clopper_pearson, wilson


def test_wilson_is_the_published_interval() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I: 15 of 148.
    low, high = wilson(15 / 148, 148, 0.95)

    assert (round(low, 4), round(high, 4)) == (0.0624, 0.1605)


def test_clopper_pearson_is_the_published_interval() -> None:
    # The same table, the "exact" row.
    low, high = clopper_pearson(15, 148, 0.95)

    assert (round(low, 4), round(high, 4)) == (0.0578, 0.1617)


def test_no_hits_leave_the_rule_of_three() -> None:
    low, high = clopper_pearson(0, 100, 0.95)

    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 100))


@given(count=st.integers(1, 400), part=st.floats(0, 1))
def test_intervals_hold_what_was_seen_and_are_mirrored(count: int, part: float) -> None:
    hits = round(count * part)
    for interval, mirrored in (
        (clopper_pearson(hits, count, 0.95), clopper_pearson(count - hits, count, 0.95)),
        (wilson(hits / count, count, 0.95), wilson(1 - hits / count, count, 0.95)),
    ):
        assert 0 <= interval.low <= hits / count + 1e-9
        assert hits / count - 1e-9 <= interval.high <= 1
        assert (mirrored.low, mirrored.high) == pytest.approx((1 - interval.high, 1 - interval.low))


@given(count=st.integers(1, 60), hits=st.integers(0, 60), chance=st.floats(0.01, 0.99))
def test_chances_are_the_sums_of_the_binomial(count: int, hits: int, chance: float) -> None:
    exact = sum(
        math.comb(count, k) * chance**k * (1 - chance) ** (count - k)
        for k in range(min(hits, count) + 1)
    )

    assert at_most(hits, count, chance) == pytest.approx(min(1.0, exact))


def test_nothing_seen_leaves_everything_open() -> None:
    assert tuple(wilson(0.5, 0, 0.95)) == (0.0, 1.0)
    assert tuple(clopper_pearson(0, 0, 0.95)) == (0.0, 1.0)
