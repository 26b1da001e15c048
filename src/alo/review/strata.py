"""Strata of a population of predictions: by predicted class and by how certain the model was.

They are formed for the estimate alone, from what is known of every record without looking at it,
and from how many of each were looked at, never from what was found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

MOST = 12  # strata
EXPECTED = 10  # reviewed records of a stratum; it is not divided into smaller ones
LEAST_REVIEWED = 5  # in a stratum; with fewer it is merged with its neighbour in certainty
FEWEST_DIGITS, MOST_DIGITS = 2, 6  # behind the point, of a certainty


class Case(NamedTuple):
    """A record of the population."""

    predicted: str
    certainty: float | None = None  # that the prediction is right, 0 to 1; None: not known


class Stratum(NamedTuple):
    """Records of the population that are alike, and those of them that were reviewed."""

    predicted: str | None  # None: of several classes
    low: float | None  # certainty, from here
    high: float | None  # to here
    size: int  # records
    total: float  # of their certainties; one that is not known counts as 0
    reviewed: Sequence[int]  # places in the population

    @property
    def certainty(self) -> float:
        """The mean certainty."""
        return self.total / max(1, self.size)


def strata_of(
    population: Sequence[Case], reviewed: Iterable[int], known: Collection[int] = ()
) -> list[Stratum]:
    """Divide a population into strata that have enough reviewed records each.

    How many there are depends on how many reviewed records are to be expected in each. Those that
    happen to have too few are merged, which is rare then: a merged stratum has fewer of its one
    part than it should, so merging often would shift the estimate.

    Args:
        reviewed: the places in the population that a random choice took.
        known: places that are in no stratum.
    """
    sample = list(reviewed)
    size = len(population) - len(known)

    def bins(members: int) -> int:
        return len(sample) * members // max(1, size) // EXPECTED

    strata = _divided(population, sample, bins, known)
    return _merged(strata, lambda each: len(each.reviewed))


def stratum_names(population: Sequence[Case], places: Iterable[int]) -> dict[int, str]:
    """The stratum of each of these records, in words, as the whole population is divided."""
    strata = _merged(_divided(population, places, lambda _: MOST), lambda each: each.size)
    return {at: _name(each) for each in strata for at in each.reviewed}


def _name(stratum: Stratum) -> str:
    name = "*" if stratum.predicted is None else stratum.predicted
    if stratum.low is None or stratum.high is None:
        return name
    return f"{name} {span(stratum.low, stratum.high, '-')}"


def span(low: float, high: float, to: str) -> str:
    """Two certainties with as many digits as tell them apart; the same one twice is said once."""
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        one, other = f"{low:.{digits}f}", f"{high:.{digits}f}"
        if one != other:
            return f"{one}{to}{other}"
    return f"{low:.{FEWEST_DIGITS}f}"


def _divided(
    population: Sequence[Case],
    reviewed: Iterable[int],
    bins: Callable[[int], int],
    known: Collection[int] = (),
) -> list[Stratum]:
    """The strata of each class.

    Args:
        bins: into how many parts a class of so many records may be divided.
    """
    certainties: defaultdict[str, list[float | None]] = defaultdict(list)
    seen: defaultdict[str, list[int]] = defaultdict(list)
    left_out = frozenset(known)
    for at, (predicted, certainty) in enumerate(population):
        if at not in left_out:
            certainties[predicted].append(certainty)
    for at in reviewed:
        seen[population[at].predicted].append(at)
    most = MOST // max(1, len(certainties))
    return [
        part
        for name, own in sorted(certainties.items())
        for part in _quantiles(population, name, own, seen[name], min(most, bins(len(own))))
    ]


def _quantiles(
    population: Sequence[Case],
    name: str,
    certainties: Sequence[float | None],
    reviewed: Iterable[int],
    bins: int,
) -> Iterator[Stratum]:
    """Parts of about the same size by certainty; records that are as certain stay together."""
    known = sorted(each for each in certainties if each is not None)
    unknown = len(certainties) - len(known)
    ordered = [0.0] * unknown + known
    cuts = sorted({ordered[len(ordered) * part // bins] for part in range(1, bins)} - {ordered[0]})
    seen: list[list[int]] = [[] for _ in range(len(cuts) + 1)]
    for at in reviewed:
        seen[bisect_right(cuts, population[at].certainty or 0.0)].append(at)
    edges = [0, *(bisect_left(ordered, cut) for cut in cuts), len(ordered)]
    for start, end, own in zip(edges, edges[1:], seen, strict=False):
        first = max(start, unknown)  # of those whose certainty is known
        yield Stratum(
            name,
            ordered[first] if first < end else None,
            ordered[end - 1] if first < end else None,
            end - start,
            sum(ordered[start:end]),
            own,
        )


def _merged(strata: Sequence[Stratum], count: Callable[[Stratum], int]) -> list[Stratum]:
    """Strata of which each has enough of what is counted, and which are not too many."""
    left = list(strata)
    while len(left) > 1:
        least = min(left, key=count)
        if count(least) >= LEAST_REVIEWED and len(left) <= MOST:
            break
        others = [each for each in left if each is not least]
        near = [each for each in others if each.predicted == least.predicted] or others
        neighbour = min(near, key=lambda each: abs(each.certainty - least.certainty))
        joined = _joined(least, neighbour)
        left = [joined if each is neighbour else each for each in others]
    return left


def _joined(one: Stratum, other: Stratum) -> Stratum:
    lows = [each for each in (one.low, other.low) if each is not None]
    highs = [each for each in (one.high, other.high) if each is not None]
    return Stratum(
        one.predicted if one.predicted == other.predicted else None,
        min(lows, default=None),
        max(highs, default=None),
        one.size + other.size,
        one.total + other.total,
        [*one.reviewed, *other.reviewed],
    )
