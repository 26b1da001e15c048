"""Which records of a population people are shown, in which order, and why.

The random ones are the beginning of one random order of all records, so that whatever part of
them was reviewed first is a simple random sample. The uncertain ones are chosen from all records
too, not from what the random ones left: a record can be both.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop

from alo.review.strata import Case, stratum_names

RANDOM, UNCERTAIN, PICKED = "random", "uncertain", "picked"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A record that is to be reviewed."""

    at: int  # its place in the population
    source: str  # random, uncertain or picked; random where it is both
    stratum: str  # of the population, in words
    weight: float  # records of the population that it stands for
    uncertain_place: int | None = None  # in the order of uncertainty, from 0
    is_second_look: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRequest:
    """What a review is to show."""

    random: int = 0
    uncertain: int = 0
    picked: Sequence[int] = ()  # places in the population
    seed: int = 0
    second_look: float = 0.0  # share of the random ones that a second person labels, too


def make_queue(
    population: Sequence[Case], contents: Sequence[str], asked: QueueRequest
) -> list[QueueItem]:
    """The queue, in its order: random and uncertain ones in turns, then those that were picked.

    Args:
        population: all records.
        contents: the content id of each.
    """
    drawn = _drawn(len(population), asked.random, asked.seed)
    again = set(drawn[: round(asked.second_look * len(drawn))])
    unsure = _uncertain(population, contents, asked.uncertain, set(drawn))
    places = {at: place for place, at in enumerate(unsure)}
    strata = stratum_names(population, {*drawn, *unsure, *asked.picked})
    weight = len(population) / len(drawn) if drawn else 0.0
    items = [
        QueueItem(
            at=at,
            source=RANDOM,
            stratum=strata[at],
            weight=weight,
            uncertain_place=places.get(at),
            is_second_look=at in again,
        )
        for at in drawn
    ]
    taken = set(drawn)
    alone = [
        QueueItem(
            at=at, source=UNCERTAIN, stratum=strata[at], weight=1.0, uncertain_place=places[at]
        )
        for at in unsure
        if at not in taken
    ]
    taken.update(unsure)
    chosen = [
        QueueItem(at=at, source=PICKED, stratum=strata[at], weight=0.0)
        for at in dict.fromkeys(asked.picked)
        if at not in taken
    ]
    return [*_in_turns(items, alone), *chosen]


def _drawn(count: int, wanted: int, seed: int) -> list[int]:
    """The beginning of the random order of so many records that belongs to a seed.

    Source: Fisher and Yates; of the order, only what is asked for is made, and more begins with it.
    """
    chance = random.Random(seed).random  # noqa: S311 - a sample; of any Python, the same
    moved: dict[int, int] = {}  # what is no longer in its place
    found: list[int] = []
    for at in range(min(wanted, count)):
        other = at + int(chance() * (count - at))
        found.append(moved.get(other, other))
        moved[other] = moved.get(at, at)
    return found


def _uncertain(
    population: Sequence[Case], contents: Sequence[str], wanted: int, drawn: set[int]
) -> list[int]:
    """The least certain ones, until so many are among them that were not drawn at random.

    No two have the same content, and the classes take turns.
    """
    if not wanted:
        return []
    by_class: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for at, (predicted, certainty) in enumerate(population):
        if certainty is not None:
            by_class[predicted].append((certainty, at))
    waiting = [_least_first(each) for _, each in sorted(by_class.items())]
    found: list[int] = []
    seen: set[str] = set()
    more = wanted
    while waiting and more > 0:
        turn: list[tuple[float, int]] = []
        for each in list(waiting):
            if (least := _first_new(each, contents, seen)) is None:
                waiting.remove(each)
            else:
                turn.append(least)
        for _, at in sorted(turn):
            if more > 0:
                found.append(at)
                more -= at not in drawn
    return found


def _least_first(each: list[tuple[float, int]]) -> Iterator[tuple[float, int]]:
    """In their order, without sorting those that nobody asks for."""
    heapify(each)
    while each:
        yield heappop(each)


def _first_new(
    waiting: Iterator[tuple[float, int]], contents: Sequence[str], seen: set[str]
) -> tuple[float, int] | None:
    for each in waiting:
        if contents[each[1]] not in seen:
            seen.add(contents[each[1]])
            return each
    return None


def _in_turns(first: Sequence[QueueItem], second: Sequence[QueueItem]) -> list[QueueItem]:
    """Both, each in its order, mixed evenly."""
    total = [*((at / max(1, len(first)), 0, item) for at, item in enumerate(first))]
    total += [((at + 0.5) / max(1, len(second)), 1, item) for at, item in enumerate(second)]
    return [item for _, _, item in sorted(total, key=lambda each: each[:2])]
