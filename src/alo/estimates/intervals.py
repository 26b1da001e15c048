"""Intervals of a share that was seen in a sample, and the sample size that an interval needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

_STEPS = 60  # halvings of a search: past the digits of a float


class Interval(NamedTuple):
    """From where to where a share may be, 0 to 1."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of what is between the ends."""
        return (self.high - self.low) / 2


def z_of(level: float) -> float:
    """How many standard deviations hold this share of a normal distribution, both sides."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(share: float, count: float, level: float) -> Interval:
    """Wilson's score interval.

    Args:
        share: seen in the sample, 0 to 1.
        count: items of the sample; of a sample with a design, its effective size, which need not
            be whole.
        level: of confidence, as 0.95.
    Source: Wilson, JASA 22(158), 1927.
    """
    if count <= 0:
        return Interval(0.0, 1.0)
    z2 = z_of(level) ** 2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return Interval(max(0.0, middle - spread), min(1.0, middle + spread))


def clopper_pearson(hits: int, count: int, level: float) -> Interval:
    """The exact interval: it holds the truth at least as often as the level says.

    Args:
        hits: what was counted, of `count`; made for few, since it sums up to the lesser of
            `hits` and `count - hits` terms.
    Source: Clopper and Pearson, Biometrika 26(4), 1934.
    """
    if count == 0:
        return Interval(0.0, 1.0)
    if hits > count - hits:
        mirrored = clopper_pearson(count - hits, count, level)
        return Interval(1 - mirrored.high, 1 - mirrored.low)
    tail = (1 - level) / 2
    low = 0.0
    if hits > 0:
        low = _root(lambda p: 1 - at_most(hits - 1, count, p), tail, rising=True)
    high = 1.0
    if hits < count:
        high = _root(lambda p: at_most(hits, count, p), tail, rising=False)
    return Interval(low, high)


def at_most(hits: int, count: int, chance: float) -> float:
    """The probability of at most so many hits in `count` independent tries."""
    if hits >= count or chance <= 0:
        return 1.0
    if hits < 0 or chance >= 1:
        return 0.0
    log_p, log_q = math.log(chance), math.log1p(-chance)
    terms = (
        math.exp(_log_choose(count, k) + k * log_p + (count - k) * log_q) for k in range(hits + 1)
    )
    return min(1.0, math.fsum(terms))


def _log_choose(count: int, k: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)


def _root(of: Callable[[float], float], value: float, *, rising: bool) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if (of(middle) < value) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2
