"""How good the estimate of a review is: reviews of models whose accuracy is known, simulated.

Each setting has 1,000 reviews (100 of each of 10 populations), with the queue and the estimator
that `alo review` has. Nothing is timed. What is held to a limit:

- intervals that do not hold the truth, of which 7 in 100 may not;
- the mean of estimate - truth, in points;
- the mean width, beside that of Wilson's interval on the same random labels alone; with 0.5 % of
  errors and nothing uncertain reviewed beside the exact interval's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from alo.estimates.intervals import clopper_pearson, wilson
from alo.review.accuracy import LEVEL, Accuracy, Answer, accuracy
from alo.review.queue import RANDOM, QueueRequest, make_queue
from alo.review.strata import Case
from benchmarks.rows import Row, show

REVIEWS, POPULATIONS = 1000, 10
SIZES = (500, 2_000, 20_000)
CALIBRATED, OVER_CONFIDENT = "a calibrated model", "an over-confident model"
FEW_ERRORS, THREE_CLASSES = "0.5 % errors", "three classes"
ERRORS_UNCERTAIN = "errors where the model is uncertain"
MODELS = (CALIBRATED, OVER_CONFIDENT, FEW_ERRORS, THREE_CLASSES)


class World(NamedTuple):
    """A population, and of which of its records the prediction is right."""

    cases: Sequence[Case]
    is_right: Sequence[bool]

    @property
    def truth(self) -> float:
        return sum(self.is_right) / len(self.is_right)


class Setting(NamedTuple):
    """What is reviewed of which kind of population, and how it is estimated."""

    model: str
    size: int
    random: int
    uncertain: int
    method: str = "stratified"

    @property
    def name(self) -> str:
        queue = f"{self.random} random, {self.uncertain} uncertain"
        method = "" if self.method == "stratified" else f", {self.method}"
        return f"{self.model}, {queue} of {self.size:,}{method}"


class Seen(NamedTuple):
    """One review: its interval, and that of its random labels alone."""

    is_held: bool
    error: float
    width: float
    wilson: float
    exact: float


def measure() -> list[Row]:
    return [row for setting in settings() for row in _rows(setting, list(simulate(setting)))]


def settings() -> Iterator[Setting]:
    """All that is simulated."""
    for model in MODELS:
        for size in SIZES:
            yield Setting(model, size, 100, 0)
            yield Setting(model, size, 200, 100)
        yield Setting(model, 2_000, 30, 30)
        yield Setting(model, 2_000, 500, 0)
    for size in SIZES:
        yield Setting(ERRORS_UNCERTAIN, size, 200, size // 10)
    for model in MODELS:
        yield Setting(model, 2_000, 200, 0, "ppi")
        yield Setting(model, 2_000, 200, 100, "ppi")


def simulate(setting: Setting, reviews: int = REVIEWS) -> Iterator[Seen]:
    """Reviews of a setting; the same ones whenever they are asked for."""
    for number in range(POPULATIONS):
        world = make_world(setting.model, setting.size, number)
        for again in range(reviews // POPULATIONS):
            yield _review(setting, world, number * reviews + again)


def make_world(model: str, size: int, seed: int) -> World:
    """A population of a kind of model."""
    chance = random.Random(f"{model} {size} {seed}")  # noqa: S311 - a simulation
    names = "abc" if model == THREE_CLASSES else "ab"
    cases, is_right = [], []
    for _ in range(size):
        certainty, share = _certainty(model, chance)
        cases.append(Case(chance.choice(names), certainty))
        is_right.append(chance.random() < share)
    return World(cases, is_right)


def _certainty(model: str, chance: random.Random) -> tuple[float, float]:
    """How certain the model is of a record, and how likely it is right."""
    if model == FEW_ERRORS:
        return 1 - 0.5 * chance.random() ** 4, 0.995
    if model == ERRORS_UNCERTAIN:
        is_unsure = chance.random() < 0.09
        return (chance.uniform(0.5, 0.6), 0.55) if is_unsure else (chance.uniform(0.9, 1), 0.999)
    least = 1 / 3 if model == THREE_CLASSES else 0.5
    certainty = max(least, chance.betavariate(6, 1))
    return certainty, certainty if model != OVER_CONFIDENT else 0.6 + 0.3 * certainty


def _review(setting: Setting, world: World, seed: int) -> Seen:
    queue = make_queue(
        world.cases,
        [str(at) for at in range(len(world.cases))],
        QueueRequest(random=setting.random, uncertain=setting.uncertain, seed=seed),
    )
    drawn = [Answer(item.at, world.is_right[item.at]) for item in queue if item.source == RANDOM]
    unsure = [
        Answer(item.at, world.is_right[item.at])
        for item in queue
        if item.uncertain_place is not None
    ]
    found = accuracy(world.cases, random=drawn, uncertain=unsure, method=setting.method)
    return _seen(found, world.truth, drawn)


def _seen(found: Accuracy, truth: float, drawn: Sequence[Answer]) -> Seen:
    if found.estimate is None or found.low is None or found.high is None:
        raise ValueError("too few records for an estimate")
    wrong = sum(not answer.is_right for answer in drawn)
    usual = wilson(1 - wrong / len(drawn), len(drawn), LEVEL)
    exact = clopper_pearson(wrong, len(drawn), LEVEL)
    return Seen(
        found.low <= truth <= found.high,
        found.estimate - truth,
        found.high - found.low,
        2 * usual.half_width,
        2 * exact.half_width,
    )


def _rows(setting: Setting, seen: Sequence[Seen]) -> list[Row]:
    missed = 100 * (1 - fmean(each.is_held for each in seen))
    bias = 100 * abs(fmean(each.error for each in seen))
    width = 100 * fmean(each.width for each in seen)
    usual, limit = 100 * fmean(each.wilson for each in seen), 1.2
    name = "Wilson's"
    if setting.model == ERRORS_UNCERTAIN:
        limit = 0.6
    if setting.model == FEW_ERRORS and not setting.uncertain:
        usual, limit, name = 100 * fmean(each.exact for each in seen), 1.0, "the exact one's"
    return [
        Row(f"{setting.name}: intervals without the truth", missed, None, 7, "%"),
        Row(f"{setting.name}: bias", bias, None, 0.5, "points"),
        Row(f"{setting.name}: mean width : {name}", width, usual, limit, "points"),
    ]


if __name__ == "__main__":
    show(measure())
