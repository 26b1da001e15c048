"""Bounds of the difference of two models, checked against exact sums and simple cases."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alo.estimates.paired import (
    Paired,
    holm,
    mcnemar_exact,
    paired,
    tango_bounds,
    tango_lower,
    tango_z,
    worse_exact,
)

Z = 1.6448536269514722  # one-sided, 95 %


def passes(rows: int, only_old: float, only_new: float, max_loss: float) -> float:
    """How often a bound above -max_loss is found, by the exact probabilities of all counts."""
    both = 1 - only_old - only_new
    found = 0.0
    for old in range(rows + 1):
        for new in range(rows + 1 - old):
            if tango_lower(Paired(rows, old, new)) >= -max_loss:
                ways = math.comb(rows, old) * math.comb(rows - old, new)
                found += ways * only_old**old * only_new**new * both ** (rows - old - new)
    return found


def test_two_models_that_never_differ_need_133_rows_for_two_points() -> None:
    assert tango_lower(Paired(132, 0, 0)) < -0.02 <= tango_lower(Paired(133, 0, 0))
    assert tango_lower(Paired(133, 0, 0)) == pytest.approx(-(Z**2) / (133 + Z**2))


@pytest.mark.parametrize(("only_old", "only_new"), [(0.12, 0.02), (0.2, 0.1), (0.3, 0.2)])
def test_a_model_that_is_too_much_worse_rarely_passes(only_old: float, only_new: float) -> None:
    assert passes(40, only_old, only_new, max_loss=0.1) <= 0.06


def likeliest(counts: Paired, difference: float) -> float:
    """The share of rows that only the old model has right under which the counts are likeliest,
    found by trying; with the difference it says all that the statistic has to know."""
    both = counts.rows - counts.only_old - counts.only_new

    def likelihood(share: float) -> float:
        shares = (share, share + difference, 1 - 2 * share - difference)
        seen = (counts.only_old, counts.only_new, both)
        if any(part <= 0 < times for part, times in zip(shares, seen, strict=True)):
            return -math.inf
        return sum(
            times * math.log(part) for part, times in zip(shares, seen, strict=True) if times
        )

    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):  # a golden section: the likelihood is concave
        step = (high - low) * 0.381966
        if likelihood(low + step) < likelihood(high - step):
            low += step
        else:
            high -= step
    return (low + high) / 2


@given(
    rows=st.integers(5, 200),
    shares=st.tuples(st.floats(0, 0.45), st.floats(0, 0.45)),
    difference=st.floats(-0.6, 0.6),
)
def test_the_statistic_is_that_of_the_likeliest_shares_under_the_hypothesis(
    rows: int, shares: tuple[float, float], difference: float
) -> None:
    counts = Paired(rows, int(rows * shares[0]), int(rows * shares[1]))
    share = likeliest(counts, difference)
    variance = rows * (2 * share + difference - difference**2)
    assume(variance > 1e-3)

    gap = counts.only_new - counts.only_old - rows * difference
    assert tango_z(counts, difference) == pytest.approx(gap / math.sqrt(variance), rel=1e-3)


def test_the_interval_is_the_published_one() -> None:
    # Airway reactivity before and after a transplantation, of 21 children: 7 only before, 1 only
    # after; Fagerland, Lydersen and Laake, Statistics in Medicine 33, 2014, the score interval.
    low, high = tango_bounds(Paired(21, 7, 1))

    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


def test_the_size_of_the_gate_is_five_percent_but_where_the_candidate_is_never_better() -> None:
    sizes = [passes(100, 0.05 + only_new, only_new, 0.05) for only_new in (0.0, 0.02, 0.1)]

    assert max(sizes) <= 0.055
    # An identical candidate passes from 133 rows on; so does one that loses two points of which
    # chance shows none.
    assert passes(133, 0.02, 0.0, 0.02) == pytest.approx(0.98**133)


@given(rows=st.integers(1, 500), shares=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)))
def test_the_bound_is_where_the_statistic_says_so(rows: int, shares: tuple[float, float]) -> None:
    counts = Paired(rows, int(rows * shares[0]), int(rows * shares[1]))

    bound = tango_lower(counts)

    assert -1 <= bound <= counts.difference
    if -0.999 < bound < counts.difference - 1e-6:
        assert tango_z(counts, bound) == pytest.approx(Z, rel=1e-3)


@given(rows=st.integers(2, 300), old=st.integers(0, 100), new=st.integers(0, 100))
def test_the_interval_of_the_swapped_models_is_mirrored(rows: int, old: int, new: int) -> None:
    counts = Paired(rows + old + new, old, new)

    low, high = tango_bounds(counts)
    mirrored = tango_bounds(Paired(counts.rows, new, old))

    assert low <= counts.difference <= high
    assert mirrored == pytest.approx((-high, -low))


def test_no_rows_say_nothing() -> None:
    assert tango_lower(paired([], [])) == -1.0


def test_rows_are_counted_where_only_one_model_is_right() -> None:
    counts = paired([True, True, False, False], [True, False, True, True])

    assert counts == Paired(4.0, 1.0, 2.0)
    assert counts.difference == 0.25


def test_unequal_weights_make_the_sample_smaller_and_keep_the_weighted_difference() -> None:
    counts = paired([True, False], [False, True], weights=[3.0, 1.0])

    assert counts.rows == pytest.approx(16 / 10)
    assert counts.difference == pytest.approx((1 - 3) / 4)


def test_mcnemar_is_exact() -> None:
    assert mcnemar_exact(1, 9) == pytest.approx(2 * (1 + 10) / 2**10)
    assert mcnemar_exact(0, 0) == 1.0
    assert worse_exact(9, 1) == pytest.approx((1 + 10) / 2**10)


@given(count=st.integers(0, 60), hits=st.integers(0, 60))
def test_a_split_of_rows_is_as_likely_as_one_of_coins(count: int, hits: int) -> None:
    hits = min(hits, count)

    tail = sum(math.comb(count, k) for k in range(hits, count + 1)) / 2**count

    assert worse_exact(hits, count - hits) == pytest.approx(tail)


def test_a_split_of_many_rows_takes_no_long_sums() -> None:
    assert mcnemar_exact(50_000, 50_000) == 1.0
    assert mcnemar_exact(50_500, 49_500) == pytest.approx(0.00158, rel=0.01)


def test_holm_refuses_from_the_least_chance_on_and_stops_at_the_first_that_holds() -> None:
    assert holm([0.04, 0.001, 0.03]) == [False, True, False]
    assert holm([0.01, 0.02, 0.04]) == [True, True, True]
    assert holm([]) == []
