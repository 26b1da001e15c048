"""Two models compared: their accuracies, and the difference with what may be lost, as intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alo.gate.comparison import Comparison

WIDTH, ROW = 480, 34  # of the drawing, in its own units; the height of an interval
LEFT, RIGHT, TOP, BOTTOM = 90, 20, 14, 24  # names at the left, numbers below
MOST_TICKS = 7
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


class Tick(NamedTuple):
    """A number of the axis."""

    x: float
    value: float


class Interval(NamedTuple):
    """One line with its point."""

    name: str
    y: float
    left: float
    point: float
    right: float
    low: float
    value: float
    high: float


class Rule(NamedTuple):
    """A value that the intervals are looked at against."""

    name: str
    x: float
    value: float


class ComparisonChart(NamedTuple):
    """What the template draws."""

    kind: str  # accuracy or difference
    width: int
    height: int
    left: int
    right: int
    intervals: tuple[Interval, ...]
    rules: tuple[Rule, ...]
    ticks: tuple[Tick, ...]


def accuracy_chart(compared: Comparison) -> ComparisonChart | None:
    """How often each model is right; None: there was no test row."""
    models = [
        (name, _three(model.low, model.accuracy, model.high))
        for name, model in (("old", compared.old), ("new", compared.new))
    ]
    known = [(name, three) for name, three in models if three is not None]
    return _chart("accuracy", known, {}, at_most=1.0) if known else None


def difference_chart(compared: Comparison) -> ComparisonChart | None:
    """How much more often the new one is right, and the most that it may lose."""
    three = _three(compared.low, compared.difference, compared.high)
    if three is None:
        return None
    rules = {"alike": 0.0}
    if _is_share(compared.gate.max_loss):
        rules["limit"] = -compared.gate.max_loss
    if compared.bound is not None and _is_share(compared.bound):
        rules["bound"] = compared.bound
    return _chart("difference", [("difference", three)], rules)


def _three(
    low: float | None, value: float | None, high: float | None
) -> tuple[float, float, float] | None:
    """The lower end, the value and the upper end; None: they are not known."""
    if low is None or value is None or high is None:
        return None
    return (low, value, high) if all(map(_is_share, (low, value, high))) else None


def _is_share(value: float) -> bool:
    """Whether it is a share, or a difference of two: whoever has written the file."""
    return -1 <= value <= 1


def _chart(
    kind: str,
    models: Sequence[tuple[str, tuple[float, float, float]]],
    rules: Mapping[str, float],
    at_most: float = math.inf,
) -> ComparisonChart:
    values = [each for _, three in models for each in three] + list(rules.values())
    step = _step(max(values) - min(values))
    first = math.floor(min(values) / step - 1e-9)
    last = math.ceil(min(max(values) + step / 4, at_most) / step - 1e-9)
    span = max(last - first, 1) * step

    def x(value: float) -> float:
        return round(LEFT + (value - first * step) / span * (WIDTH - LEFT - RIGHT), 1)

    intervals = tuple(
        Interval(name, float(TOP + ROW * (at + 0.5)), x(low), x(value), x(high), low, value, high)
        for at, (name, (low, value, high)) in enumerate(models)
    )
    return ComparisonChart(
        kind,
        WIDTH,
        TOP + ROW * len(models) + BOTTOM,
        LEFT,
        WIDTH - RIGHT,
        intervals,
        tuple(Rule(name, x(value), value) for name, value in rules.items()),
        tuple(Tick(x(at * step), round(at * step, 4)) for at in range(first, last + 1)),
    )


def _step(span: float) -> float:
    return next((each for each in STEPS if span / each <= MOST_TICKS - 2), STEPS[-1])
