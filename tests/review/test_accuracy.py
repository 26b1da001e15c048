"""The estimate of a model's accuracy: what counts for it, what never does, and how sure it is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.estimates.intervals import clopper_pearson, wilson
from alo.review.accuracy import GOAL, Accuracy, Answer, accuracy
from alo.review.queue import RANDOM, QueueRequest, make_queue
from alo.review.strata import Case


def world(count: int, seed: int, trust: float = 1.0) -> tuple[list[Case], list[bool], list[int]]:
    """A population, which of its predictions are right, and a random order.

    Args:
        trust: how far its certainty is honest; the rest of it says nothing.
    """
    chance = random.Random(seed)  # noqa: S311
    cases = [Case(chance.choice("ab"), max(0.5, chance.betavariate(6, 1))) for _ in range(count)]
    right = [chance.random() < trust * (case.certainty or 0) + (1 - trust) * 0.75 for case in cases]
    order = list(range(count))
    chance.shuffle(order)
    return cases, right, order


def answers(places: list[int], right: list[bool]) -> list[Answer]:
    return [Answer(at, right[at]) for at in places]


def bounds(found: Accuracy) -> tuple[float, float, float]:
    assert found.estimate is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.estimate, found.high


@pytest.mark.parametrize("method", ["stratified", "ppi"])
@pytest.mark.parametrize("unsure", [0, 60])
@pytest.mark.parametrize("trust", [0.0, 0.6, 1.0])
def test_nineteen_of_twenty_intervals_hold_the_truth(
    method: str, unsure: int, trust: float
) -> None:
    """``trust``: how far the model's certainty says anything; without, it is over-confident."""
    held, off, width, usual = 0, 0.0, 0.0, 0.0
    for seed in range(300):
        cases, right, order = world(600, seed, trust)
        contents = [str(at) for at in order]
        asked = QueueRequest(random=100, uncertain=unsure, seed=1_000_000 + seed)  # not the world's
        queue = make_queue(cases, contents, asked)
        drawn = answers([item.at for item in queue if item.source == RANDOM], right)
        least = [item.at for item in queue if item.uncertain_place is not None]

        found = accuracy(cases, random=drawn, uncertain=answers(least, right), method=method)

        low, estimate, high = bounds(found)
        truth = sum(right) / len(right)
        held += low <= truth <= high
        off += estimate - truth
        width += high - low
        usual += 2 * wilson(sum(each.is_right for each in drawn) / 100, 100, 0.95).half_width
    assert held >= 0.93 * 300
    assert abs(off / 300) <= 0.0075  # three standard errors of so few reviews
    assert width <= 1.2 * usual


def test_with_half_a_percent_of_errors_the_interval_is_no_wider_than_the_exact_one() -> None:
    for seed in range(100):
        chance = random.Random(seed)  # noqa: S311
        cases = [Case("a", chance.uniform(0.8, 1)) for _ in range(1000)]
        sample = [Answer(at, chance.random() > 0.005) for at in range(200)]

        low, _, high = bounds(accuracy(cases, random=sample))

        wrong = sum(not each.is_right for each in sample)
        assert high - low <= 2 * clopper_pearson(wrong, 200, 0.95).half_width + 1e-9


def test_the_interval_is_narrow_where_all_that_is_wrong_was_uncertain_and_looked_at() -> None:
    cases = [Case("a", 0.5 if at % 10 == 0 else 0.99) for at in range(2000)]
    right = [at % 20 != 0 for at in range(2000)]
    queue = make_queue(
        cases, [str(at) for at in range(2000)], QueueRequest(random=200, uncertain=180, seed=1)
    )
    drawn = answers([item.at for item in queue if item.source == RANDOM], right)
    least = answers([item.at for item in queue if item.uncertain_place is not None], right)

    low, _, high = bounds(accuracy(cases, random=drawn, uncertain=least))

    wrong = sum(not each.is_right for each in drawn)
    assert high - low <= 0.6 * 2 * wilson(1 - wrong / 200, 200, 0.95).half_width
    assert low <= 0.95 <= high


def test_what_people_chose_to_look_at_never_moves_the_estimate() -> None:
    cases, right, order = world(500, 1)

    plain = accuracy(cases, random=answers(order[:80], right))
    picked = accuracy(cases, random=answers(order[:80], right), picked=50)

    assert bounds(picked) == bounds(plain)
    assert picked.reviewed["picked"] == 50


def test_uncertain_records_speak_for_themselves_alone() -> None:
    cases = [Case("a", 0.9)] * 100 + [Case("a", 0.5)] * 10
    uncertain = [Answer(at, False) for at in range(100, 110)]

    found = accuracy(
        cases, random=[Answer(at, at % 10 != 0) for at in range(60)], uncertain=uncertain
    )

    assert found.estimate == pytest.approx(100 / 110 * 0.9)


def test_a_random_record_that_is_known_in_full_is_not_counted_twice() -> None:
    cases = [Case("a", 0.9)] * 100
    uncertain = [Answer(0, False), Answer(1, False)]
    sample = [Answer(at, at > 1) for at in range(50)]

    found = accuracy(cases, random=sample, uncertain=uncertain)

    assert found.estimate == pytest.approx(0.98)
    assert sum(each.reviewed for each in found.strata) == 50


def test_once_all_is_reviewed_the_share_is_known() -> None:
    cases, right, order = world(60, 2)

    low, estimate, high = bounds(accuracy(cases, random=answers(order, right)))

    assert low == estimate == high == pytest.approx(sum(right) / 60)


def test_with_few_errors_the_interval_is_the_exact_one() -> None:
    cases = [Case("a", 0.99)] * 1000
    sample = [Answer(at, at != 0) for at in range(200)]

    low, _, high = bounds(accuracy(cases, random=sample))

    wrong = clopper_pearson(1, 200, 0.95)
    assert (low, high) == pytest.approx((1 - wrong.high, 1 - wrong.low))


def test_errors_of_the_uncertain_ones_do_not_make_the_rest_look_well_known() -> None:
    cases = [Case("a", 0.5)] * 20 + [Case("a", 0.99)] * 980
    uncertain = [Answer(at, at % 2 == 0) for at in range(20)]
    sample = [Answer(at, True) for at in range(20, 120)]

    low, _, high = bounds(accuracy(cases, random=sample, uncertain=uncertain))

    wrong = clopper_pearson(0, 100, 0.95)
    assert low == pytest.approx(0.01 + 0.98 * (1 - wrong.high))
    assert high == pytest.approx(0.99)


def test_fewer_than_ten_random_records_say_nothing() -> None:
    cases, right, order = world(500, 3)

    found = accuracy(cases, random=answers(order[:9], right))

    assert (found.estimate, found.low, found.high, found.enough) == (None, None, None, False)
    assert found.needed > 0


def test_it_is_enough_when_the_interval_is_narrow_and_not_before() -> None:
    cases, right, order = world(4000, 4)
    few = accuracy(cases, random=answers(order[:100], right))

    enough = accuracy(cases, random=answers(order[: 100 + few.needed], right))

    assert not few.enough
    low, _, high = bounds(enough)
    assert (high - low) / 2 == pytest.approx(GOAL, rel=0.25)
    many = accuracy(cases, random=answers(order[:3000], right))
    assert (many.enough, many.needed) == (True, 0)


@given(seen=st.lists(st.booleans(), min_size=10, max_size=120), rest=st.integers(0, 400))
def test_the_interval_holds_the_estimate_and_stays_within_nothing_and_all(
    seen: list[bool], rest: int
) -> None:
    cases = [Case("a" if at % 3 else "b", (at % 7) / 7) for at in range(len(seen) + rest)]

    found = accuracy(cases, random=[Answer(at, is_right) for at, is_right in enumerate(seen)])

    low, estimate, high = bounds(found)
    assert 0 <= low <= estimate <= high <= 1 + 1e-9
    assert 0 <= found.needed <= rest


def test_shares_of_classes_and_strata_are_reported_as_json_has_them() -> None:
    cases = [Case("a", 0.9)] * 50 + [Case("b", 0.8)] * 50 + [Case("c", 0.7)]
    sample = [Answer(at, at % 5 != 0) for at in range(20)]
    sample += [Answer(at, True) for at in range(50, 60)]

    found = accuracy(cases, random=sample).to_json()

    assert found["by_class"] == {"a": 0.8, "b": 1.0, "c": None}
    strata = found["strata"]
    assert isinstance(strata, list)
    assert set(strata[0]) == {"class", "low", "high", "population", "reviewed", "correct"}
    assert sum(each["population"] for each in strata) == 101


def test_an_empty_population_has_no_accuracy() -> None:
    found = accuracy([], random=[])

    assert (found.estimate, found.population, found.needed) == (None, 0, 0)
