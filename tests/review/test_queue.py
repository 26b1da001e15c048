"""The queue of a review: a random part that is one, uncertain records that are spread."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from alo.review.queue import PICKED, RANDOM, UNCERTAIN, QueueRequest, make_queue
from alo.review.strata import Case

CASES = st.lists(
    st.builds(Case, st.sampled_from("ab"), st.one_of(st.none(), st.floats(0, 1))), max_size=80
)


@given(
    population=CASES,
    asked=st.builds(
        QueueRequest,
        random=st.integers(0, 60),
        uncertain=st.integers(0, 60),
        picked=st.lists(st.integers(0, 5), max_size=5),
        seed=st.integers(0, 9),
        second_look=st.floats(0, 1),
    ),
)
def test_a_record_is_queued_once_and_the_counts_are_those_that_were_asked_for(
    population: list[Case], asked: QueueRequest
) -> None:
    places = tuple(at for at in asked.picked if at < len(population))
    asked = QueueRequest(
        random=asked.random, uncertain=asked.uncertain, picked=places, seed=asked.seed
    )

    queue = make_queue(population, [str(at) for at in range(len(population))], asked)

    assert len({item.at for item in queue}) == len(queue)
    sources = Counter(item.source for item in queue)
    assert sources[RANDOM] == min(asked.random, len(population))
    known = sum(case.certainty is not None for case in population)
    assert sources[UNCERTAIN] <= min(asked.uncertain, known)
    if sources[UNCERTAIN] < asked.uncertain:  # then no record with a certainty is left out
        assert sum(item.uncertain_place is not None for item in queue) == known
    assert set(places) <= {item.at for item in queue}


def test_a_longer_random_part_begins_with_the_shorter_one() -> None:
    population = [Case("a", 0.5)] * 100
    contents = [str(at) for at in range(100)]

    short = make_queue(population, contents, QueueRequest(random=20, seed=7))
    long = make_queue(population, contents, QueueRequest(random=60, seed=7))

    assert [item.at for item in long][:20] == [item.at for item in short]
    assert [item.at for item in short] != sorted(item.at for item in short)
    other = make_queue(population, contents, QueueRequest(random=20, seed=8))
    assert [item.at for item in other] != [item.at for item in short]


def test_every_record_is_drawn_as_often_as_every_other() -> None:
    population = [Case("a", at / 40) for at in range(40)]
    contents = [str(at) for at in range(40)]
    drawn: Counter[int] = Counter()

    for seed in range(2000):
        queue = make_queue(population, contents, QueueRequest(random=10, uncertain=5, seed=seed))
        drawn.update(item.at for item in queue if item.source == RANDOM)

    assert sum(drawn.values()) == 20_000
    assert all(400 < drawn[at] < 600 for at in range(40))  # 500 each, five deviations


def test_the_least_certain_come_first_with_classes_in_turns_and_no_content_twice() -> None:
    population = [Case("a", 0.5), Case("a", 0.5), Case("a", 0.51), Case("a", 0.52), Case("b", 0.9)]
    contents = ["same", "same", "c", "d", "e"]

    queue = make_queue(population, contents, QueueRequest(uncertain=4))

    assert [item.at for item in queue] == [0, 4, 2, 3]
    assert [item.uncertain_place for item in queue] == [0, 1, 2, 3]


def test_records_whose_certainty_is_unknown_are_not_taken_for_uncertain_ones() -> None:
    queue = make_queue([Case("a"), Case("a", 0.9)], ["x", "y"], QueueRequest(uncertain=2))

    assert [item.at for item in queue] == [1]


def test_random_and_uncertain_items_take_turns() -> None:
    population = [Case("a", at / 100) for at in range(100)]
    contents = [str(at) for at in range(100)]

    queue = make_queue(population, contents, QueueRequest(random=10, uncertain=10, seed=1))

    halves = [Counter(item.source for item in part) for part in (queue[:10], queue[10:])]
    assert all(3 <= half[RANDOM] <= 7 for half in halves)


def test_a_random_record_that_is_uncertain_too_has_its_place_among_those() -> None:
    population = [Case("a", 0.1), Case("a", 0.9)]

    queue = make_queue(population, ["x", "y"], QueueRequest(random=2, uncertain=2))

    assert {item.at: (item.source, item.uncertain_place) for item in queue} == {
        0: (RANDOM, 0),
        1: (RANDOM, 1),
    }


def test_what_was_picked_stands_for_nothing_but_itself() -> None:
    population = [Case("a", 0.5)] * 10
    contents = [str(at) for at in range(10)]

    queue = make_queue(population, contents, QueueRequest(random=2, picked=[4, 4, 5]))

    picked = [item for item in queue if item.source == PICKED]
    assert {item.at for item in queue} >= {4, 5}
    assert all(item.weight == 0 for item in picked)
    assert {item.weight for item in queue if item.source == RANDOM} == {5.0}


def test_a_share_of_the_random_ones_is_looked_at_again() -> None:
    population = [Case("a", 0.5)] * 100
    contents = [str(at) for at in range(100)]

    queue = make_queue(population, contents, QueueRequest(random=50, uncertain=20, second_look=0.1))

    again = [item for item in queue if item.is_second_look]
    assert len(again) == 5
    assert {item.source for item in again} == {RANDOM}


def test_each_item_says_its_stratum() -> None:
    population = [Case("a", 0.2)] * 3 + [Case("b")] * 3

    queue = make_queue(population, list("uvwxyz"), QueueRequest(random=6))

    assert {population[item.at].predicted: item.stratum for item in queue} in (
        {"a": "* 0.20", "b": "* 0.20"},
        {"a": "a 0.20", "b": "b"},
    )
