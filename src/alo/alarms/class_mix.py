"""How far the classes of some requests are from those of the train run.

A request adds the shares of its classes: the ``probability`` of its summary, or all of one class,
its ``result``, where there is none. The mix of some requests is the mean of what they add.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple, TypeAlias

Shares: TypeAlias = Mapping[str, float]  # class → its share; they sum to 1
UNKNOWN: Shares = {}

MOST_CLASSES = 50  # of one request; the rest count as one
OTHERS = "…"
RESAMPLES = 200
MOST_DRAWN = 200  # requests of a resample; more only narrow what comes of it, by a known factor
WITHIN = 0.95  # of the resamples are within the band


class Distance(NamedTuple):
    """How far some requests are from the train run, and how far chance alone moves them."""

    value: float  # total variation distance, 0 (the same) to 1 (no class in common)
    margin: float  # 95 % of resamples of the requests stray less from them
    typical: float  # half of them stray less

    @property
    def band(self) -> tuple[float, float]:
        """Where the distance of all such requests is, as far as these show."""
        return max(0.0, self.value - self.margin), min(1.0, self.value + self.margin)

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the band leaves no distance out of it: the mixes differ."""
        return self.value > self.margin


def shares_of(result: object, probability: object) -> Shares:
    """What a request adds, by its summary; empty: no class is known of it."""
    known = normalized(probability) if isinstance(probability, Mapping) else UNKNOWN
    return known or ({str(result): 1.0} if result not in (None, "") else UNKNOWN)


def normalized(probability: Mapping[Any, object]) -> Shares:
    """A summary's ``probability`` as shares that sum to 1; empty where it is none."""
    numbers = {
        str(name): float(value)
        for name, value in probability.items()
        if isinstance(value, int | float) and math.isfinite(value) and value >= 0
    }
    total = sum(numbers.values())
    if total <= 0 or len(numbers) < len(probability):
        return {}
    largest = sorted(numbers, key=lambda name: -numbers[name])[:MOST_CLASSES]
    shares = {name: numbers[name] / total for name in largest}
    left = 1 - sum(shares.values())
    return shares | ({OTHERS: left} if len(numbers) > MOST_CLASSES else {})


def mean_of(mixes: Iterable[Shares]) -> dict[str, float]:
    """The mix of some requests; empty of none."""
    total: Counter[str] = Counter()
    count = 0
    for mix in mixes:
        count += 1
        for name, share in mix.items():
            total[name] += share  # type: ignore[assignment]  # typeshed counts in whole numbers
    return {name: share / count for name, share in total.items()}


def total_variation(one: Shares, other: Shares) -> float:
    """Half the sum of the differences of all shares: 0 (the same) to 1 (nothing in common)."""
    return sum(abs(one.get(name, 0) - other.get(name, 0)) for name in one.keys() | other.keys()) / 2


def distance(mixes: Sequence[Shares], train: Shares) -> Distance:
    """How far requests are from the train run.

    The margin is bootstrapped: the requests are drawn anew, with repetition, and the distance of
    each such mix from that of the requests themselves is how far chance moves a mix of so many.
    By the triangle inequality the distance of all such requests is within it. The same requests
    give the same numbers.

    Args:
        mixes: what the requests add; at least one.
    """
    whole = mean_of(mixes)
    places = {name: at for at, name in enumerate(whole)}
    middle = list(whole.values())
    kinds = Counter(tuple(mix.items()) for mix in mixes)  # most requests are like many others
    known = [[(places[name], share) for name, share in kind] for kind in kinds]
    drawn = min(len(mixes), MOST_DRAWN)
    draw = partial(
        Random(len(mixes)).choices,  # noqa: S311 - a resample is no secret
        known,
        cum_weights=list(accumulate(kinds.values())),
        k=drawn,
    )
    strays = sorted(_stray(draw(), middle) for _ in range(RESAMPLES))
    narrower = math.sqrt(drawn / len(mixes))
    margin, typical = (strays[int(part * (RESAMPLES - 1))] * narrower for part in (WITHIN, 0.5))
    return Distance(total_variation(whole, train), margin, typical)


def _stray(requests: Sequence[Sequence[tuple[int, float]]], middle: Sequence[float]) -> float:
    """How far the mix of some requests is from one that has all of their classes."""
    total = [0.0] * len(middle)
    for request in requests:
        for at, share in request:
            total[at] += share
    count = len(requests)
    return sum(abs(each / count - share) for each, share in zip(total, middle, strict=True)) / 2
