"""The steps of a run over time, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple

WIDTH, ROW, LABEL, LEAST = 960, 24, 150, 2.0  # of the drawing, in its own units


class Bar(NamedTuple):
    """A step; times are UTC texts, empty where there are none."""

    name: str
    status: str
    started: str
    ended: str


class Drawn(NamedTuple):
    """Where a step is drawn."""

    name: str
    status: str
    x: float
    y: float
    width: float
    seconds: float


class Timeline(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    label: int
    bars: Sequence[Drawn]
    seconds: float


def timeline(bars: Sequence[Bar], now: datetime | None = None) -> Timeline | None:
    """The drawing; None where no step has begun.

    Args:
        now: until when steps that run are drawn.
    """
    times = [(bar, _time(bar.started), _time(bar.ended)) for bar in bars if _time(bar.started)]
    if not times:
        return None
    now = now or datetime.now(timezone.utc)
    first = min(started for _, started, _ in times if started)
    last = max((ended or now) for _, _, ended in times)
    span = max((last - first).total_seconds(), 1e-6)
    room = WIDTH - LABEL
    drawn = []
    for at, (bar, started, ended) in enumerate(times):
        if started is None:
            continue
        seconds = ((ended or now) - started).total_seconds()
        x = LABEL + (started - first).total_seconds() / span * room
        width = min(max(LEAST, seconds / span * room), WIDTH - x)
        drawn.append(
            Drawn(bar.name, bar.status, round(x, 1), at * ROW + 4.0, round(width, 1), seconds)
        )
    return Timeline(WIDTH, len(times) * ROW + 4, LABEL, drawn, span)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
