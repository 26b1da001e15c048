"""Two models on the same rows: is the new one worse, and how sure is that.

Pure functions of counts; which rows, and what follows from them, is decided by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from alo.estimates.intervals import at_most

_STEPS = 60  # halvings of a search: past the digits of a float
ONE_SIDED = 0.95  # level of confidence of a bound


class Paired(NamedTuple):
    """How often only one of two models was right; with weights, no whole counts."""

    rows: float  # all, the effective number of them
    only_old: float  # where only the old model was right
    only_new: float

    @property
    def difference(self) -> float:
        """How much more often the new model was right, -1 to 1."""
        return (self.only_new - self.only_old) / self.rows if self.rows else 0.0


def paired(old: Sequence[bool], new: Sequence[bool], weights: Sequence[float] = ()) -> Paired:
    """Count rows of two models.

    Args:
        old: for each row, whether the old model was right; shape (n,).
        new: the same of the new model, in the same order.
        weights: of the rows; with unequal ones, counts are those of the effective sample size,
            (sum w)^2 / sum w^2. Without: each row counts once.
    Source: Kish, Survey Sampling, 1965, section 8.2 (the effective size).
    """
    given = list(weights) or [1.0] * len(old)
    total = math.fsum(given)
    if not total:
        return Paired(0.0, 0.0, 0.0)
    size = total**2 / math.fsum(weight**2 for weight in given)
    only_old = math.fsum(w for w, o, n in zip(given, old, new, strict=True) if o and not n)
    only_new = math.fsum(w for w, o, n in zip(given, old, new, strict=True) if n and not o)
    return Paired(size, size * only_old / total, size * only_new / total)


def tango_bounds(counts: Paired, level: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of the difference of two paired proportions.

    Args:
        level: of confidence, both sides together.
    Source: Tango, Statistics in Medicine 17(8), 1998.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    mirrored = Paired(counts.rows, counts.only_new, counts.only_old)
    return _lower(counts, z), -_lower(mirrored, z)


def tango_lower(counts: Paired, level: float = ONE_SIDED) -> float:
    """The bound above which the difference lies, one-sided.

    It has no zero width where the models never differ: with n rows it is then
    -z^2 / (n + z^2).
    """
    return _lower(counts, NormalDist().inv_cdf(level))


def tango_z(counts: Paired, difference: float) -> float:
    """The score statistic of the hypothesis that the true difference is this one."""
    rows, only_new, only_old = counts.rows, counts.only_new, counts.only_old
    gap = only_new - only_old - rows * difference
    # The likeliest share of rows where only the old model is right, under the hypothesis.
    a = 2 * rows
    b = -only_new - only_old + (2 * rows - only_new + only_old) * difference
    c = -only_old * difference * (1 - difference)
    share = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = rows * (2 * share + difference * (1 - difference))
    if variance <= 0:
        return 0.0 if gap == 0 else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


def _lower(counts: Paired, z: float) -> float:
    if counts.rows <= 0:
        return -1.0
    low, high = -1.0, counts.difference
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if tango_z(counts, middle) > z:
            low = middle
        else:
            high = middle
    return low


def mcnemar_exact(only_old: int, only_new: int) -> float:
    """The probability of a split at least as uneven where neither model is better, both sides.

    Source: McNemar, Psychometrika 12(2), 1947, by the exact binomial distribution.
    """
    return min(1.0, 2 * _at_least(max(only_old, only_new), only_old + only_new))


def worse_exact(only_old: int, only_new: int) -> float:
    """The probability of so many rows that only the old model has right, were neither better."""
    return _at_least(only_old, only_old + only_new)


def _at_least(hits: int, count: int) -> float:
    """Of `count` throws of a coin, the chance of at least so many heads: of at most as many tails
    as are left."""
    return at_most(count - hits, count, 0.5)


def holm(chances: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which of several hypotheses are refused, so that the whole errs at most so often.

    Source: Holm, Scandinavian Journal of Statistics 6(2), 1979.
    """
    refused = [False] * len(chances)
    for rank, at in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        if chances[at] > level / (len(chances) - rank):
            break
        refused[at] = True
    return refused
