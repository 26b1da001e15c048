"""A data set of 100,000 rows, beside writing its CSV once (`csv.DictWriter`, fsync). In memory.

Twice: all of its rows were reviewed, without a base; and a base of 100,000 rows that 2,000 reviewed
ones add to. Each row has a key, 30 measurements and a label.
"""

from __future__ import annotations

import csv
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from alo.database.opening import open_database
from alo.datasets.catalog import make_writable
from alo.files import remove_tree
from alo.layout import Workspace
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews
from benchmarks.improve.reviewed import (
    CLASSES,
    KEY,
    LABEL,
    MEANING,
    MEASURES,
    case,
    write_project,
    write_table,
)
from benchmarks.processes import alo, in_memory, run
from benchmarks.rows import Row, show

ROWS, FEW = 100_000, 2_000
PART = 10_000  # decisions at once
ROUNDS = 3
COLUMNS = (KEY, *MEASURES, LABEL)


def measure() -> list[Row]:
    with in_memory() as folder:
        home = Path(folder) / "project"
        write_project(home, 10, ROWS // 10)
        for name, count in (("all", ROWS), ("few", FEW)):
            _review(home, name, count)
        base = home / "base" / "base.csv"
        chance = random.Random(2)  # noqa: S311 - the same in each run of the benchmark
        cases = [[*case(ROWS + n, chance), chance.choice(CLASSES)] for n in range(ROWS)]
        write_table(base, COLUMNS, cases)
        return [
            _row(home, "all of them reviewed", cases, "all", "none"),
            _row(home, f"{FEW:,} reviewed ones beside them", cases, "few", str(base.parent)),
        ]


def _row(home: Path, what: str, cases: Sequence[Sequence[str]], review: str, base: str) -> Row:
    command = alo("dataset", "make", "d", "--project", home, "--review", review, "--base", base)
    made, written = [], []
    for _ in range(ROUNDS):
        _remove(home / "datasets")
        made.append(run(command)[0].wall_s)
        written.append(_write_once(home.parent / "once.csv", cases))
    name = f"a data set of 100,000 rows, {what} : its CSV written once"
    return Row(name, median(made), median(written), 3, "s")


def _write_once(path: Path, cases: Sequence[Sequence[str]]) -> float:
    rows = [dict(zip(COLUMNS, each, strict=True)) for each in cases]
    start = time.perf_counter()
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - start


def _review(home: Path, name: str, count: int) -> None:
    run(alo("review", "new", name, "--project", home, *MEANING, "--random", str(count)))
    database = open_database(Workspace(home))
    review = Reviews(database).get(name)
    records = [review.record_id(record.at) for record in Reviews(database).queue(review)]
    for first in range(0, count, PART):
        decide(
            database,
            name,
            [
                NewDecision(key=record, record=record, verdict="change", label=CLASSES[at % 2])
                for at, record in enumerate(records[first : first + PART])
            ],
            person="ada",
            time="2026-01-01T00:00:00Z",
            may_settle=True,
        )
    database.close()


def _remove(folder: Path) -> None:
    if folder.exists():
        make_writable(folder)
        remove_tree(folder)


if __name__ == "__main__":
    show(measure())
