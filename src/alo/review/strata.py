"""Strata of a population of predictions: by predicted class and by how certain the model was.

They are formed for the estimate alone, from what is known of every record without looking at it,
and from how many of each were looked at, never from what was found.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

MOST = 12  # strata
LEAST_REVIEWED = 5  # in a stratum; with fewer it is merged with its neighbour in certainty


class Case(NamedTuple):
    """A record of the population."""

    predicted: str
    certainty: float | None = None  # that the prediction is right, 0 to 1; None: not known


class Stratum(NamedTuple):
    """Records of the population that are alike, and how many of them were reviewed."""

    predicted: str | None  # None: of several classes
    low: float | None  # certainty, from here
    high: float | None  # to here
    members: Sequence[int]  # places in the population
    reviewed: Sequence[int]  # of those


def strata_of(
    population: Sequence[Case], members: Sequence[int], reviewed: frozenset[int]
) -> list[Stratum]:
    """Divide members of the population into strata that have enough reviewed records each.

    Args:
        members: places in the population that are to be divided.
        reviewed: the places that a random choice took.
    """
    by_class: defaultdict[str, list[int]] = defaultdict(list)
    for at in members:
        by_class[population[at].predicted].append(at)
    bins = max(1, MOST // max(1, len(by_class)))
    strata = [
        _stratum(population, part, reviewed)
        for _, own in sorted(by_class.items())
        for part in _quantiles(population, own, bins)
    ]
    return _merged(population, strata, reviewed)


def _quantiles(population: Sequence[Case], members: Sequence[int], bins: int) -> list[list[int]]:
    """Parts of about the same size by certainty; records that are as certain stay together."""
    known = sorted(_certainty(population, at) for at in members)
    cuts = sorted({known[len(known) * part // bins] for part in range(1, bins)} - {known[0]})
    parts: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for at in members:
        parts[bisect.bisect_right(cuts, _certainty(population, at))].append(at)
    return [part for part in parts if part]


def _merged(
    population: Sequence[Case], strata: list[Stratum], reviewed: frozenset[int]
) -> list[Stratum]:
    while len(strata) > 1:
        least = min(strata, key=lambda each: len(each.reviewed))
        if len(least.reviewed) >= LEAST_REVIEWED and len(strata) <= MOST:
            break
        others = [each for each in strata if each is not least]
        near = [each for each in others if each.predicted == least.predicted] or others
        middle = _mean(population, least)
        neighbour = min(near, key=lambda each: abs(_mean(population, each) - middle))
        joined = _stratum(population, [*least.members, *neighbour.members], reviewed)
        strata = [joined if each is neighbour else each for each in strata if each is not least]
    return strata


def _stratum(
    population: Sequence[Case], members: Sequence[int], reviewed: frozenset[int]
) -> Stratum:
    classes = {population[at].predicted for at in members}
    known = [value for at in members if (value := population[at].certainty) is not None]
    return Stratum(
        next(iter(classes)) if len(classes) == 1 else None,
        min(known, default=None),
        max(known, default=None),
        members,
        [at for at in members if at in reviewed],
    )


def _certainty(population: Sequence[Case], at: int) -> float:
    value = population[at].certainty
    return 0.0 if value is None else value


def _mean(population: Sequence[Case], stratum: Stratum) -> float:
    values = [_certainty(population, at) for at in stratum.members]
    return sum(values) / max(1, len(values))
