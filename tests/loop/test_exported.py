"""A review as a file has what the model was given: whoever labels in it has to see that."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from alo.database.connection import Database
from alo.layout import Workspace
from alo.loop.exported import exported
from alo.review.reviews import Reviews

from .conftest import Give, Make, Predict


def test_tasks_have_the_input_columns_of_each_record(
    home: Path, database: Database, make: Make, predict: Predict
) -> None:
    predict()
    review = make(random=5).review

    tasks = json.loads(exported(Workspace(home), Reviews(database), review, "label-studio"))

    assert len(tasks) == 5
    for each in tasks:
        assert each["data"]["record"].startswith(review.runs[0].id)
        assert len(each["data"]) > 4


def test_a_table_has_the_input_columns_of_each_record(
    home: Path, database: Database, make: Make, predict: Predict, give: Give
) -> None:
    give({"rows.csv": "id,x\n" + "".join(f"k{n},{n}\n" for n in range(20))})
    predict()
    review = make(random=5, key="id").review

    rows = list(
        csv.DictReader(io.StringIO(exported(Workspace(home), Reviews(database), review, "csv")))
    )

    assert [row["id"] for row in rows] == [f"k{row['record'].rpartition(':')[2]}" for row in rows]
    assert [row["x"] for row in rows] == [row["id"][1:] for row in rows]


def test_a_picture_and_the_files_of_a_request_are_named_by_their_paths_in_the_project(
    home: Path, database: Database, make: Make, predict: Predict, give: Give
) -> None:
    give({"k0.png": b"zero", "k1.png": b"one"})
    run = predict([["k0.png", "good", 0.6], ["k1.png", "good", 0.7]])
    reviews = Reviews(database)

    def named(name: str, column: str, **settings: object) -> list[str]:
        review = make(name, **settings).review
        lines = exported(Workspace(home), reviews, review, "jsonl").splitlines()
        return [json.loads(line)["input"][column] for line in lines]

    pictures = named("pictures", "picture", random=2, image="id")
    assert sorted(pictures) == [f"history/inference/{run}/input/data/k{n}.png" for n in (0, 1)]
    assert all((home / each).is_file() for each in pictures)
    (files,) = named("whole", "files", random=1, unit="request")
    assert files == ", ".join(sorted(pictures))
