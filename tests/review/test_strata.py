"""Strata: each record is in one, each has enough reviewed ones, none depends on what was seen."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.review.strata import LEAST_REVIEWED, MOST, Case, span, strata_of, stratum_names

CASES = st.lists(
    st.builds(
        Case,
        st.sampled_from(["a", "b", "c"]),
        st.one_of(st.none(), st.floats(0, 1)),
    ),
    min_size=1,
    max_size=200,
)


@given(population=CASES, data=st.data())
def test_each_record_is_in_one_stratum_and_each_stratum_has_enough_reviewed(
    population: list[Case], data: st.DataObject
) -> None:
    reviewed = frozenset(data.draw(st.lists(st.sampled_from(range(len(population))))))

    strata = strata_of(population, reviewed)

    assert sum(each.size for each in strata) == len(population)
    assert sum(each.total for each in strata) == pytest.approx(
        sum(case.certainty or 0 for case in population)
    )
    assert len(strata) <= MOST
    if len(strata) > 1:
        assert all(len(each.reviewed) >= LEAST_REVIEWED for each in strata)
    assert sorted(at for each in strata for at in each.reviewed) == sorted(reviewed)
    for each in strata:
        for at in each.reviewed:
            predicted, certainty = population[at]
            assert each.predicted in (predicted, None)
            if certainty is not None:
                assert each.low is not None
                assert each.high is not None
                assert each.low <= certainty <= each.high


def test_classes_are_apart_and_their_strata_are_quantiles_of_certainty() -> None:
    population = [Case(name, n / 100) for name in ("a", "b") for n in range(100)]

    strata = strata_of(population, range(200))

    assert len(strata) == 12
    assert {each.predicted for each in strata} == {"a", "b"}
    assert all(15 <= each.size <= 18 for each in strata)


def test_a_class_of_which_too_few_were_reviewed_joins_the_one_that_is_as_certain() -> None:
    population = [Case("rare", 0.9)] * 10 + [Case("sure", 0.95)] * 50 + [Case("open", 0.5)] * 50
    reviewed = frozenset([0, *range(10, 20), *range(60, 70)])

    strata = strata_of(population, reviewed)

    assert sorted(each.size for each in strata) == [50, 60]
    (joined,) = [each for each in strata if each.predicted is None]
    assert (joined.low, joined.high) == (0.9, 0.95)


def test_more_classes_than_strata_are_joined() -> None:
    population = [Case(f"c{n % 30}", n / 300) for n in range(300)]

    assert len(strata_of(population, range(300))) == MOST


def test_what_is_known_in_full_is_in_no_stratum() -> None:
    population = [Case("a", n / 100) for n in range(100)]

    strata = strata_of(population, range(30, 100), known=range(30))

    assert sum(each.size for each in strata) == 70
    assert min(each.low or 0 for each in strata) == 0.3


def test_strata_in_words_are_those_of_the_whole_population_whoever_asks() -> None:
    population = [Case(name, n / 100) for name in ("a", "b") for n in range(100)]

    assert stratum_names(population, [0, 199]) == {0: "a 0.00-0.15", 199: "b 0.83-0.99"}


def test_a_class_is_divided_only_as_far_as_ten_reviewed_ones_are_expected_in_each_part() -> None:
    population = [Case(name, n / 900) for name in ("a", "b", "b") for n in range(900)]
    reviewed = range(0, len(population), 30)  # 30 of a, 60 of b

    strata = strata_of(population, reviewed)

    parts = Counter(each.predicted for each in strata)
    assert parts == {"a": 3, "b": 6}


def test_which_reviewed_records_were_met_changes_no_stratum_that_has_enough() -> None:
    population = [Case("a", n / 1000) for n in range(1000)]
    chance = random.Random(1)  # noqa: S311

    seen = {
        tuple((each.low, each.high) for each in strata_of(population, sample))
        for sample in (chance.sample(range(1000), 200) for _ in range(20))
    }

    assert len(seen) == 1


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.5, 0.9, "0.50-0.90"),
        (0.9961, 0.99994, "0.996-1.000"),
        (0.99999, 1.0, "0.99999-1.00000"),
        (1.0, 1.0, "1.00"),
        (0.9999999, 1.0, "1.00"),
    ],
)
def test_bounds_have_the_digits_that_tell_them_apart(low: float, high: float, said: str) -> None:
    assert span(low, high, "-") == said


def test_a_stratum_of_certain_records_has_a_name_that_says_so() -> None:
    population = [Case("good", 1.0), Case("good", 1.0), Case("bad", 0.5), Case("bad", 0.9)]

    assert set(stratum_names(population, range(4)).values()) <= {
        "good 1.00", "bad 0.50-0.90", "* 0.50-1.00",
    }  # fmt: skip
