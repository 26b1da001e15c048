"""Class mixes over time as stacked bars, that of the train run first."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from alo.ui.class_mixes import Part

WIDTH, HEIGHT = 960, 170  # of the drawing, in its own units
TOP, BOTTOM, GAP = 12, 42, 10  # above and below the bars, where two lines of text are; between them
WIDEST = 110
COLORS = 8  # that can be distinguished; the last is of all other classes
REST = "…"
Shares = tuple[tuple[str, float], ...]


class Piece(NamedTuple):
    """The share of one class in one bar."""

    y: float
    height: float
    name: str
    color: int
    share: float


class Column(NamedTuple):
    """A bar, and what it is of."""

    x: float
    pieces: tuple[Piece, ...]
    part: Part | None  # None: the train run


class MixChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    bar: float  # the width of one
    columns: tuple[Column, ...]
    names: tuple[str, ...]  # of the classes, by their colors
    train: Shares
    parts: tuple[Part, ...]


@lru_cache(64)
def mix_chart(parts: tuple[Part, ...], train: Shares) -> MixChart | None:
    """The drawing; None where no class is known.

    Args:
        train: the mix of the train run; empty: it is not known.
    """
    if not parts:
        return None
    weights = [*(dict(part.shares) for part in parts), dict(train)]
    ranked = sorted(
        {name for each in weights for name in each},
        key=lambda name: (-sum(each.get(name, 0) for each in weights), name),
    )
    is_crowded = len(ranked) > COLORS
    names = (*ranked[: COLORS - 1], REST) if is_crowded else tuple(ranked)
    bars: list[tuple[Part | None, Shares]] = [(None, train)] if train else []
    bars += [(part, part.shares) for part in parts]
    step = min(WIDEST, WIDTH / len(bars))
    columns = tuple(
        Column(round(at * step + GAP / 2, 1), _pieces(shares, names), part)
        for at, (part, shares) in enumerate(bars)
    )
    return MixChart(WIDTH, HEIGHT, round(step - GAP, 1), columns, names, train, parts)


def _pieces(shares: Shares, names: tuple[str, ...]) -> tuple[Piece, ...]:
    found = dict.fromkeys(names, 0.0)
    for name, share in shares:
        found[name if name in found else REST] += share
    pieces, y = [], float(TOP)
    for color, (name, share) in enumerate(found.items()):
        height = share * (HEIGHT - TOP - BOTTOM)
        if share > 0:
            pieces.append(Piece(round(y, 1), round(height, 1), name, color, round(share, 4)))
        y += height
    return tuple(pieces)
