"""How far two people agree about the same records, and by how much more than by chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alo.estimates.intervals import wilson, z_of


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the records that two people labelled; without any, all but `items` is None."""

    items: int
    share: float | None = None  # that both labelled alike, 0 to 1
    share_low: float | None = None
    share_high: float | None = None
    kappa: float | None = None  # Cohen's, -1 to 1; None where chance alone would agree fully
    low: float | None = None  # of kappa
    high: float | None = None

    def to_json(self) -> dict[str, object]:
        """As `agreement` of a review has it."""
        return {
            "items": self.items,
            "share": self.share,
            "kappa": self.kappa,
            "low": self.low,
            "high": self.high,
        }


def agreement(pairs: Sequence[tuple[str, str]], level: float = 0.95) -> Agreement:
    """Compare two labels of each record.

    Args:
        pairs: the first and the second person's label.
        level: of confidence of the intervals.
    Source: Cohen, Educational and Psychological Measurement 20, 1960; the error of kappa by
        Fleiss, Cohen and Everitt, Psychological Bulletin 72(5), 1969.
    """
    count = len(pairs)
    if not count:
        return Agreement(0)
    share = sum(first == second for first, second in pairs) / count
    alike = wilson(share, count, level)
    rows = {name: n / count for name, n in Counter(first for first, _ in pairs).items()}
    columns = {name: n / count for name, n in Counter(second for _, second in pairs).items()}
    chance = math.fsum(part * columns.get(name, 0.0) for name, part in rows.items())
    if chance >= 1:
        return Agreement(count, share, alike.low, alike.high)
    kappa = (share - chance) / (1 - chance)
    spread = z_of(level) * math.sqrt(_variance(pairs, rows, columns, share, chance))
    return Agreement(
        count,
        share,
        alike.low,
        alike.high,
        kappa,
        max(-1.0, kappa - spread),
        min(1.0, kappa + spread),
    )


def _variance(
    pairs: Sequence[tuple[str, str]],
    rows: dict[str, float],
    columns: dict[str, float],
    share: float,
    chance: float,
) -> float:
    count = len(pairs)
    cells = {pair: n / count for pair, n in Counter(pairs).items()}
    alike = math.fsum(
        part * ((1 - chance) - (rows.get(one, 0.0) + columns.get(one, 0.0)) * (1 - share)) ** 2
        for (one, other), part in cells.items()
        if one == other
    )
    unlike = (1 - share) ** 2 * math.fsum(
        part * (columns.get(one, 0.0) + rows.get(other, 0.0)) ** 2
        for (one, other), part in cells.items()
        if one != other
    )
    both = (share * chance - 2 * chance + share) ** 2
    return max(0.0, alike + unlike - both) / (count * (1 - chance) ** 4)
