"""The scores of runs over time, as a line of points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT, EDGE = 720, 120, 14  # of the drawing, in its own units


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


class ScoreChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    marks: Sequence[Mark]
    low: float
    high: float

    @property
    def line(self) -> str:
        """The points of the line through all marks."""
        return " ".join(f"{mark.x:g},{mark.y:g}" for mark in self.marks)


def score_chart(points: Sequence[Point]) -> ScoreChart | None:
    """The drawing; None where there are too few to draw."""
    if len(points) < 2:
        return None
    scores = [point.score for point in points]
    low, high = min(scores), max(scores)
    step = (WIDTH - 2 * EDGE) / (len(points) - 1)
    span = (high - low) or 1.0
    marks = [
        Mark(
            round(EDGE + at * step, 1),
            round(HEIGHT - EDGE - (point.score - low) / span * (HEIGHT - 2 * EDGE), 1),
            point,
        )
        for at, point in enumerate(points)
    ]
    return ScoreChart(WIDTH, HEIGHT, marks, low, high)
