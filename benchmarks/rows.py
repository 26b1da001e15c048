"""One line of the table of figures, and how the table is drawn.

Each ``bench_<topic>.py`` has ``measure() -> list[Row]`` and ends with::

    if __name__ == "__main__":
        show(measure())
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

HEADERS = ("what", "measured", "baseline", "ratio", "limit", "met")


class Row(NamedTuple):
    """One figure beside its limit.

    ``limit`` bounds ``measured / baseline``, or ``measured`` where there is no baseline.
    """

    what: str
    measured: float
    baseline: float | None
    limit: float | None  # None: printed for information
    unit: str

    @property
    def ratio(self) -> float | None:
        return self.measured / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool:
        value = self.measured if self.ratio is None else self.ratio
        return self.limit is None or value <= self.limit


def show(rows: Sequence[Row]) -> None:
    """Print the table of ``rows``."""
    lines = [HEADERS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADERS))]
    for line in lines:
        first, *others = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        right = [cell.strip().rjust(len(cell)) for cell in others]
        sys.stdout.write("  ".join([first, *right]).rstrip() + "\n")
    sys.stdout.flush()


def _cells(row: Row) -> tuple[str, ...]:
    unit = f" {row.unit}" if row.unit else ""
    baseline = "" if row.baseline is None else f"{_number(row.baseline)}{unit}"
    ratio = "" if row.ratio is None else f"{_ratio(row.ratio)} x"
    measured = f"{_number(row.measured)}{unit}"
    return (row.what, measured, baseline, ratio, _limit(row, unit), _met(row))


def _limit(row: Row, unit: str) -> str:
    if row.limit is None:
        return ""
    return f"{_number(row.limit)}{unit}" if row.ratio is None else f"{row.limit:g} x"


def _met(row: Row) -> str:
    if row.limit is None:
        return ""
    return "yes" if row.is_met else "NO"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if abs(value) >= 0.01 or not value else f"{value:.2g}"


def _number(value: float) -> str:
    is_whole = float(value).is_integer() or value >= 1000  # a failed one is no number
    return f"{value:.0f}" if is_whole else f"{value:.4g}"
