"""Past inference runs whose results can be reviewed, as history has them; nothing is run."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from alo.database.connection import Database
from alo.history.entries.names import RECORD, entry_name
from alo.history.ids import new_run_id, utc_text
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.loop.new_review import ReviewRequest, new_review
from alo.review.rows import Review
from alo.review.settings import ReviewSettings

FIRST = 1_767_260_000.0  # when the first run began
SETTINGS = ReviewSettings(
    key="patient", probabilities={"malignant": "probability"}, label="diagnosis"
)
REMARKS = ("<script>alert(1)</script>", "=1+1", "fine", "작은 혹")


def write_run(home: Path, number: int = 0, rows: int = 8) -> str:
    """An inference run of so many patients; returns its id."""
    began = FIRST + 60 * number
    record = RunRecord(
        id=new_run_id("patients", began),
        pipeline="inference",
        status="success",
        start_time=utc_text(began),
        end_time=utc_text(began + 1),
    )
    entry = Workspace(home).history / "inference" / entry_name(record.id, record.status)
    (entry / RECORD).parent.mkdir(parents=True)
    (entry / RECORD).write_text(json.dumps(record.to_json()))
    names = [f"P{number}{at:05}" for at in range(rows)]
    given = [[name, 20 + at % 60, REMARKS[at % 4]] for at, name in enumerate(names)]
    said = [_prediction(name, at) for at, name in enumerate(names)]
    _write(entry / "input/patients/patients.csv", ["patient", "age", "remark"], given)
    _write(entry / "output/output.csv", ["patient", "prediction", "probability"], said)
    return record.id


def make_review(
    home: Path,
    database: Database,
    name: str = "patients",
    *,
    runs: int = 2,
    rows: int = 8,
    **asked: object,
) -> Review:
    """A review of new runs, with eight records by chance and three uncertain ones."""
    made = [write_run(home, number, rows) for number in range(runs)]
    given = {"random": 8, "uncertain": 3, "seed": 1, **asked}
    request = ReviewRequest(
        name=name,
        person="ada",
        time="2026-01-02T00:00:00Z",
        settings=SETTINGS,
        runs=made,
        **given,  # type: ignore[arg-type]
    )
    return new_review(Workspace(home), database, request).review


def _prediction(name: str, at: int) -> Sequence[object]:
    probability = round((at * 37 % 100) / 100, 2)
    return name, "malignant" if probability > 0.5 else "benign", probability


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
