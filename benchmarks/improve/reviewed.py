"""A project with past inference runs whose rows can be reviewed; nothing in it has to be run."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

from alo.database.opening import open_database
from alo.history.ids import new_run_id, utc_text
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.review.labels import Labels
from alo.review.queue import QueueItem
from alo.review.results.records import FoundRecord
from alo.review.reviews import ReviewDraft, Reviews
from alo.review.rows import PopulationRun
from benchmarks.solutions import write_empty_solution
from benchmarks.storage.bench_history import FIRST, write_record

KEY, LABEL = "patient", "diagnosis"
MEASURES = tuple(f"measure_{number}" for number in range(30))
CLASSES = ("malignant", "benign")
MEANING = ("--key", KEY, "--probability", "malignant=probability", "--label", LABEL)


def store_review(home: Path, name: str, run: str, records: int, queued: int) -> None:
    """A review of two classes, of a run that need not be there; the first records are its queue."""
    database = open_database(Workspace(home))
    Reviews(database).create(
        ReviewDraft(
            name=name,
            person="ada",
            created="2026-01-01T00:00:00Z",
            asked={"seed": 1},
            runs=[PopulationRun(id=run, first=0, records=records)],
            counts={"records": records},
            labels=Labels.named(["good", "bad"]),
            records=[
                FoundRecord(at, f"c{at}", "good", 0.5, {"good": 0.5}) for at in range(records)
            ],
            queue=[
                QueueItem(at=at, source="random", stratum="", weight=1.0) for at in range(queued)
            ],
        )
    )
    database.close()


def write_project(home: Path, runs: int, rows: int) -> list[Path]:
    """A project with so many inference runs of so many rows each; returns their tables.

    The outputs have all columns of the inputs, as the documentation advises.
    """
    write_empty_solution(home, 1)
    chance = random.Random(1)  # noqa: S311 - the same in each run of the benchmark
    return [each for number in range(runs) for each in _write_run(home, number, rows, chance)]


def _write_run(home: Path, number: int, rows: int, chance: random.Random) -> list[Path]:
    started = FIRST + number * 60
    record = RunRecord(
        id=new_run_id("benchmark", started),
        pipeline="inference",
        status="success",
        start_time=utc_text(started),
        end_time=utc_text(started + 1),
    )
    write_record(Workspace(home), record)
    entry = home / "history" / "inference" / record.id
    cases = [case(number * rows + at, chance) for at in range(rows)]
    given, said = entry / "input" / "patients" / "patients.csv", entry / "output" / "output.csv"
    write_table(given, [KEY, *MEASURES], cases)
    write_table(
        said,
        [KEY, *MEASURES, "prediction", "probability"],
        ([*each, *_prediction(chance)] for each in cases),
    )
    return [given, said]


def case(number: int, chance: random.Random) -> list[str]:
    """The cells of one row of an input."""
    return [f"P{number:06}", *(f"{chance.uniform(0, 100):.4f}" for _ in MEASURES)]


def _prediction(chance: random.Random) -> tuple[str, str]:
    probability = chance.betavariate(0.5, 0.5)
    return CLASSES[probability < 0.5], f"{probability:.4f}"


def write_table(path: Path, columns: Sequence[str], rows: object) -> None:
    """Write a CSV as a program usually does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)  # type: ignore[arg-type]
