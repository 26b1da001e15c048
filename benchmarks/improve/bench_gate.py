"""How often the gate lets a candidate pass: pairs of models whose accuracy is known, simulated.

Each figure is of 1,000 pairs on test sets of their own, judged as `alo retrain` judges them.
Nothing is timed. A candidate that is worse by all that is allowed should rarely pass; one that is
clearly better should nearly always.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from alo.estimates.paired import paired
from alo.gate.comparison import ComparedRow, compare
from alo.gate.verdict import PASS, GateSettings, judge
from benchmarks.rows import Row, show

PAIRS = 1000
LABEL, OTHER = "a", "b"
# Rows, max_loss, and the shares of rows where only the old, and only the new model is right.
WORSE = (
    (50, 0.1, 0.10, 0.0),
    (100, 0.05, 0.05, 0.0),
    (150, 0.02, 0.02, 0.0),
    (300, 0.02, 0.02, 0.0),
    (300, 0.02, 0.06, 0.04),
    (300, 0.02, 0.11, 0.09),
    (1000, 0.02, 0.03, 0.01),
    (2000, 0.02, 0.11, 0.09),
)


def measure() -> list[Row]:
    return [
        *(_worse(*case) for case in WORSE),
        _weighted(),
        Row("a candidate better by 5 points, 300 rows: held", 100 - _better(), None, 10, "%"),
        Row("the same with ten slices of 30: held", 100 - _better(slices=10), None, 10, "%"),
        Row("an equally good candidate, 300 rows: passes", _passes(300, 0.02, 0.05, 0.05), None,
            None, "%"),
        Row("rows that an identical candidate needs", _identical(), None, 133, "rows"),
    ]  # fmt: skip


def _worse(rows: int, max_loss: float, only_old: float, only_new: float) -> Row:
    what = (
        f"worse by {max_loss:.0%}, differing on {only_old + only_new:.0%} of {rows:,} rows: passes"
    )
    return Row(what, _passes(rows, max_loss, only_old, only_new), None, 6, "%")


def _passes(rows: int, max_loss: float, only_old: float, only_new: float) -> float:
    """In how many of 100 pairs the new model passes."""
    chance = random.Random(f"{rows} {only_old} {only_new}")  # noqa: S311 - a simulation
    settings = GateSettings(min_rows=1, max_loss=max_loss, min_gain=-1)
    return _percent([
        _is_passed(simulated(rows, only_old, only_new, chance), settings) for _ in range(PAIRS)
    ])  # fmt: skip


def _better(slices: int = 0) -> float:
    """In how many of 100 pairs one passes that is better by 5 points, and differs on a tenth."""
    chance = random.Random(f"better {slices}")  # noqa: S311 - a simulation
    return _percent([
        _is_passed(simulated(300, 0.025, 0.075, chance, slices), GateSettings())
        for _ in range(PAIRS)
    ])  # fmt: skip


def _weighted() -> Row:
    """Rows of several reviews, of which each stands for another number of records."""
    chance = random.Random("weighted")  # noqa: S311 - a simulation
    settings = GateSettings(max_loss=0.05, min_gain=-1)
    passed = [
        _is_passed(
            [
                replace(row, weight=5.0 if at % 2 else 1.0)
                for at, row in enumerate(simulated(400, 0.07, 0.02, chance))
            ],
            settings,
        )
        for _ in range(PAIRS)
    ]
    return Row("worse by 5 %, 400 rows of two weights: passes", _percent(passed), None, 6, "%")


def simulated(
    rows: int, only_old: float, only_new: float, chance: random.Random, slices: int = 0
) -> list[ComparedRow]:
    """Test rows of which both models are right, but for these shares."""
    found = []
    for at in range(rows):
        where = chance.random()
        found.append(
            ComparedRow(
                record=f"r:{at}",
                label=LABEL,
                old=OTHER if only_old <= where < only_old + only_new else LABEL,
                new=OTHER if where < only_old else LABEL,
                slices={"site": str(at % slices)} if slices else {},
            )
        )
    return found


def _is_passed(rows: Sequence[ComparedRow], settings: GateSettings) -> bool:
    return compare(rows, settings, old_run="old", new_run="new").judged.verdict == PASS


def _identical() -> int:
    """With how many rows a candidate passes that answers as the old model does."""
    settings, rows = GateSettings(min_rows=1), 1
    while judge(paired([True] * rows, [True] * rows), [], settings, rows=rows).reasons:
        rows += 1
    return rows


def _percent(passed: Sequence[bool]) -> float:
    return 100 * sum(passed) / len(passed)


if __name__ == "__main__":
    show(measure())
