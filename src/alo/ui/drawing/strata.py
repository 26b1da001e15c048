"""The strata of a review as bars: how much of each was reviewed and how much of that is right."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from alo.review.accuracy import StratumSeen
from alo.review.strata import span

WIDTH, ROW = 960, 30  # of the drawing, in its own units; the height of a stratum
DASH = "\u2013"  # between two numbers
LEFT, RIGHT, BAR = 260, 150, 16  # names at the left, numbers at the right; a bar's height


class StratumBar(NamedTuple):
    """One stratum."""

    y: float
    right: float  # the width of its part that is right
    stratum: StratumSeen
    is_known: bool  # reviewed in full, as the model was uncertain

    @property
    def share(self) -> float | None:
        """Of the reviewed ones, those that are right; None: none was reviewed."""
        return self.stratum.correct / self.stratum.reviewed if self.stratum.reviewed else None

    @property
    def span(self) -> str:
        """From which certainty to which it goes; empty: that is not known."""
        low, high = self.stratum.low, self.stratum.high
        return "" if low is None or high is None else span(low, high, DASH)


class StrataChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    left: int
    full: int  # the width of a bar that is right throughout
    bars: tuple[StratumBar, ...]


@lru_cache(64)
def strata_chart(strata: tuple[StratumSeen, ...], known: int) -> StrataChart | None:
    """The drawing; None where there is no stratum.

    Args:
        known: how many records were reviewed as the model was uncertain: the last stratum.
    """
    if not strata:
        return None
    full = WIDTH - LEFT - RIGHT
    bars = tuple(
        StratumBar(
            float(at * ROW),
            round(full * each.correct / each.reviewed, 1) if each.reviewed else 0.0,
            each,
            bool(known) and at == len(strata) - 1,
        )
        for at, each in enumerate(strata)
    )
    return StrataChart(WIDTH, len(strata) * ROW, LEFT, full, bars)
