"""How accurate a model is on a population, from the records of it that people looked at.

`docs/concepts/accuracy.md` has the formulas, their sources and what they assume. In short: items
in random order are a simple random sample; what was reviewed because the model was uncertain is
known in full and speaks only for itself; what people looked up by hand never counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from alo.estimates.intervals import Interval, clopper_pearson, wilson
from alo.review.strata import Case, Stratum, strata_of

LEVEL = 0.95
GOAL = 0.02  # half the width of the interval that is enough
LEAST_RANDOM = 10  # items, below which nothing is said
FEW_ERRORS = 5  # below so many, the interval is the exact one
STRATIFIED, PPI = "stratified", "ppi"  # the second: prediction-powered
METHODS = (STRATIFIED, PPI)


class Answer(NamedTuple):
    """What people found out about one record of the population."""

    at: int  # its place in the population
    is_right: bool  # whether the prediction was


class StratumSeen(NamedTuple):
    """A stratum, as it is reported."""

    predicted: str | None
    low: float | None
    high: float | None
    population: int
    reviewed: int
    correct: int

    def to_json(self) -> dict[str, object]:
        """As `strata` of the estimate has it."""
        fields = self._asdict()
        return {"class": fields.pop("predicted"), **fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The estimate; without one, `estimate`, `low` and `high` are None."""

    estimate: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    population: int
    reviewed: Mapping[str, int]  # random, uncertain, picked
    strata: Sequence[StratumSeen] = ()
    by_class: Mapping[str, float | None] = field(default_factory=dict)
    enough: bool = False
    needed: int = 0  # how many more random items make the interval narrow enough
    waiting: int = 0  # decided records that do not count yet, behind one that is undecided
    waits_for: str | None = None  # the first such undecided one

    def to_json(self) -> dict[str, object]:
        """As `alo review accuracy --json` has it."""
        return {
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "method": self.method,
            "population": self.population,
            "reviewed": dict(self.reviewed),
            "strata": [each.to_json() for each in self.strata],
            "by_class": dict(self.by_class),
            "enough": self.enough,
            "needed": self.needed,
            "waiting": self.waiting,
            "waits_for": self.waits_for,
        }


class _Rest(NamedTuple):
    """The population without the records that are known in full, and the random sample of it."""

    size: int
    right: Mapping[int, bool]  # of the sample, by place

    @property
    def errors(self) -> int:
        return sum(not is_right for is_right in self.right.values())


def accuracy(
    population: Sequence[Case],
    *,
    random: Sequence[Answer],
    uncertain: Sequence[Answer] = (),
    picked: int = 0,
    method: str = STRATIFIED,
    level: float = LEVEL,
) -> Accuracy:
    """Estimate the share of the population whose prediction is right.

    Args:
        population: all records.
        random: the records at the beginning of the random order that were decided.
        uncertain: the records at the beginning of the queue of uncertain ones that were decided:
            a stratum of their own, known in full.
        picked: how many records people chose themselves; they never count.
        method: one of `METHODS`.
        level: of confidence.
    Sources: Cochran, Sampling Techniques, 3rd edition, chapters 5 and 5A (post-stratification);
        Angelopoulos et al., Science 382, 2023 (prediction-powered inference).
    """
    known = {answer.at: answer.is_right for answer in uncertain}
    rest = _Rest(
        len(population) - len(known),
        {answer.at: answer.is_right for answer in random if answer.at not in known},
    )
    counts = {"random": len(random), "uncertain": len(known), "picked": picked}
    strata = strata_of(population, rest.right, known) if rest.size else []
    seen = [_seen(stratum, rest.right) for stratum in strata]
    if known:
        seen.append(_known(population, known))
    total, weight = len(population), rest.size / max(1, len(population))
    said = partial(
        Accuracy,
        level=level,
        method=method,
        population=total,
        reviewed=counts,
        strata=seen,
        by_class=_by_class(population, rest, known),
    )
    is_whole = total > 0 and len(rest.right) == rest.size
    if len(random) < LEAST_RANDOM and not is_whole:
        needed = _needed(rest, weight, None, level, len(random))
        return said(estimate=None, low=None, high=None, needed=needed)
    if method == PPI:
        share, variance = _ppi(population, strata, rest)
    else:
        share, variance = _stratified(strata, rest)
    inside = _interval(rest, share, variance, level)
    certain = sum(known.values()) / max(1, total)
    # A sum of shares may be off by a rounding; no share is above 1.
    estimate = min(1.0, certain + weight * share)
    low, high = certain + weight * inside.low, min(1.0, certain + weight * inside.high)
    is_enough = (high - low) / 2 <= GOAL
    return said(
        estimate=estimate,
        low=min(low, estimate),
        high=max(high, estimate),
        enough=is_enough,
        needed=0 if is_enough else _needed(rest, weight, (share, variance), level, len(random)),
    )


def _stratified(strata: Sequence[Stratum], rest: _Rest) -> tuple[float, float]:
    """Share and variance of the post-stratified estimate, within the rest."""
    pooled = (rest.errors + 0.5) / (len(rest.right) + 1)
    share = variance = 0.0
    for stratum in strata:
        weight, count = stratum.size / rest.size, len(stratum.reviewed)
        wrong = sum(not rest.right[at] for at in stratum.reviewed)
        share += weight * (1 - wrong / count) if count else weight * (1 - pooled)
        smoothed = (wrong + 2 * pooled) / (count + 2)
        unseen = 1 - count / stratum.size
        variance += weight**2 * unseen * smoothed * (1 - smoothed) / max(1, count - 1)
    return share, variance


def _ppi(population: Sequence[Case], strata: Sequence[Stratum], rest: _Rest) -> tuple[float, float]:
    """The same by the certainty of all, corrected by how far it was off where people looked."""

    def certainty(at: int) -> float:
        value = population[at].certainty
        return 0.0 if value is None else value

    share = variance = 0.0
    for stratum in strata:
        weight, count = stratum.size / rest.size, len(stratum.reviewed)
        off = [rest.right[at] - certainty(at) for at in stratum.reviewed]
        mean = sum(off) / max(1, count)
        spread = sum((each - mean) ** 2 for each in off) / max(1, count - 1)
        share += weight * (stratum.certainty + mean)
        variance += weight**2 * (1 - count / stratum.size) * spread / max(1, count)
    return min(1.0, max(0.0, share)), variance


def _interval(rest: _Rest, share: float, variance: float, level: float) -> Interval:
    """Around the share of the rest: exact where few errors were seen, else Wilson's."""
    if len(rest.right) == rest.size:
        return Interval(share, share)
    if rest.errors < FEW_ERRORS:
        wrong = clopper_pearson(rest.errors, len(rest.right), level)
        return Interval(1 - wrong.high, 1 - wrong.low)
    return wilson(share, _effective(share, variance, len(rest.right)), level)


def _effective(share: float, variance: float, count: int) -> float:
    """The size of a simple random sample that would be as exact."""
    if variance <= 0 or not 0 < share < 1:
        return float(count)
    return share * (1 - share) / variance


def _needed(
    rest: _Rest,
    weight: float,
    found: tuple[float, float] | None,
    level: float,
    reviewed: int,
) -> int:
    """The least number of further random items after which the interval should be narrow enough.

    Args:
        found: share and variance of the rest; None where too little was seen, then a model that
            is right half of the time is assumed.
        reviewed: random items until now.
    """
    count, members = len(rest.right), rest.size
    share, variance = found or (0.5, 0.0)
    gain = _effective(share, variance, count) / count if found and count else 1.0
    unseen = 1 - count / max(1, members)
    errors = 1 - share

    def is_narrow(more: int) -> bool:
        size = count + more
        if size >= members:
            return True
        if found and errors * size < FEW_ERRORS:
            width = clopper_pearson(round(errors * size), size, level).half_width
        else:
            # What a finite population takes off grows with the part of it that was seen.
            rate = gain * max(unseen, 1e-9) / (1 - size / members)
            width = wilson(share, size * rate, level).half_width
        return weight * width <= GOAL

    least = max(1, LEAST_RANDOM - reviewed)
    return min(_first(is_narrow, least, max(least, members - count)), max(0, members - count))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The least whole number for which it holds, once it holds for good."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _seen(stratum: Stratum, right: Mapping[int, bool]) -> StratumSeen:
    return StratumSeen(
        stratum.predicted,
        stratum.low,
        stratum.high,
        stratum.size,
        len(stratum.reviewed),
        sum(right[at] for at in stratum.reviewed),
    )


def _known(population: Sequence[Case], known: Mapping[int, bool]) -> StratumSeen:
    """The records that were reviewed because the model was uncertain."""
    certainties = [value for at in known if (value := population[at].certainty) is not None]
    return StratumSeen(
        None,
        min(certainties, default=None),
        max(certainties, default=None),
        len(known),
        len(known),
        sum(known.values()),
    )


def _by_class(
    population: Sequence[Case], rest: _Rest, known: Mapping[int, bool]
) -> dict[str, float | None]:
    """Of the records predicted to be of a class, the share that is right; None: none was seen."""

    def of(name: str, right: Mapping[int, bool]) -> list[bool]:
        return [is_right for at, is_right in right.items() if population[at].predicted == name]

    left = Counter(predicted for predicted, _ in population)
    left.subtract(population[at].predicted for at in known)
    found: dict[str, float | None] = {}
    for name in sorted(left):
        sure, sample = of(name, known), of(name, rest.right)
        if left[name] and not sample:
            found[name] = None
            continue
        share = sum(sample) / len(sample) if sample else 0.0
        found[name] = (sum(sure) + left[name] * share) / (len(sure) + left[name])
    return found
