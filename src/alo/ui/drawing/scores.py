"""The scores of runs over time: a line of points for each pipeline, with the axes they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 960, 150  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 12, 24  # around the points: numbers at the left, times below


class Point(NamedTuple):
    """A run with a score."""

    run: str
    time: str
    score: float
    pipeline: str


class Mark(NamedTuple):
    """Where a point is drawn."""

    x: float
    y: float
    point: Point


class Series(NamedTuple):
    """The runs of one pipeline: scores of two pipelines measure different things."""

    pipeline: str
    line: str  # the points of the line through its marks


class Grade(NamedTuple):
    """A score that the drawing names at its left."""

    y: float
    score: float


class ScoreChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    left: int
    right: int
    marks: Sequence[Mark]
    series: Sequence[Series]
    grades: Sequence[Grade]
    low: float
    high: float


def score_chart(points: Sequence[Point]) -> ScoreChart | None:
    """The drawing; None where there are too few to draw.

    Args:
        points: in the order of time.
    """
    if len(points) < 2:
        return None
    scores = [point.score for point in points]
    low, high = min(scores), max(scores)
    step = (WIDTH - LEFT - RIGHT) / (len(points) - 1)
    marks = [
        Mark(round(LEFT + at * step, 1), _height(point.score, low, high), point)
        for at, point in enumerate(points)
    ]
    named = (high, (high + low) / 2, low) if high > low else (high,)
    return ScoreChart(
        WIDTH,
        HEIGHT,
        LEFT,
        WIDTH - RIGHT,
        marks,
        [_series(name, marks) for name in dict.fromkeys(point.pipeline for point in points)],
        [Grade(_height(score, low, high), score) for score in named],
        low,
        high,
    )


def _series(pipeline: str, marks: Sequence[Mark]) -> Series:
    own = [mark for mark in marks if mark.point.pipeline == pipeline]
    return Series(pipeline, " ".join(f"{mark.x:g},{mark.y:g}" for mark in own))


def _height(score: float, low: float, high: float) -> float:
    span = (high - low) or 1.0
    return round(HEIGHT - BOTTOM - (score - low) / span * (HEIGHT - TOP - BOTTOM), 1)
