"""The scores of runs over time: a line of points for each pipeline, with the axes they need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from alo.history.index.pages import Scored

WIDTH, HEIGHT = 960, 150  # of the drawing, in its own units
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 12, 24  # around the points: numbers at the left, times below
KEPT = 64  # drawings: of a list that has not changed it is the same


class Mark(NamedTuple):
    """Where a point is drawn."""

    x: float
    y: float
    point: Scored


class Series(NamedTuple):
    """The runs of one pipeline: scores of two pipelines measure different things."""

    pipeline: str
    line: str  # the points of the line through its marks


class Grade(NamedTuple):
    """A score that the drawing names at its left."""

    y: float
    score: float


class Level(NamedTuple):
    """A score to compare with, as a line across."""

    name: str  # limit, or train run
    score: float
    y: float = 0.0


class ScoreChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    left: int
    right: int
    marks: tuple[Mark, ...]
    series: tuple[Series, ...]
    grades: tuple[Grade, ...]
    low: float
    high: float
    levels: tuple[Level, ...] = ()


@lru_cache(KEPT)
def score_chart(points: tuple[Scored, ...], levels: tuple[Level, ...] = ()) -> ScoreChart | None:
    """The drawing; None where there are too few to draw.

    Args:
        points: in the order of time.
        levels: scores to compare them with.
    """
    if len(points) < 2:
        return None
    scores = [*(each.score for each in points), *(each.score for each in levels)]
    low, high = min(scores), max(scores)
    step = (WIDTH - LEFT - RIGHT) / (len(points) - 1)
    marks = tuple(
        Mark(round(LEFT + at * step, 1), _height(point.score, low, high), point)
        for at, point in enumerate(points)
    )
    named = (high, (high + low) / 2, low) if high > low else (high,)
    return ScoreChart(
        WIDTH,
        HEIGHT,
        LEFT,
        WIDTH - RIGHT,
        marks,
        tuple(_series(name, marks) for name in dict.fromkeys(each.pipeline for each in points)),
        tuple(Grade(_height(score, low, high), score) for score in named),
        low,
        high,
        tuple(each._replace(y=_height(each.score, low, high)) for each in levels),
    )


def _series(pipeline: str, marks: Sequence[Mark]) -> Series:
    own = [mark for mark in marks if mark.point.pipeline == pipeline]
    return Series(pipeline, " ".join(f"{mark.x:g},{mark.y:g}" for mark in own))


def _height(score: float, low: float, high: float) -> float:
    span = (high - low) or 1.0
    return round(HEIGHT - BOTTOM - (score - low) / span * (HEIGHT - TOP - BOTTOM), 1)
