"""A review as a file for Label Studio has what the model was given."""

from __future__ import annotations

import json
from pathlib import Path

from alo.database.connection import Database
from alo.layout import Workspace
from alo.loop.exported import exported
from alo.review.reviews import Reviews

from .conftest import Make, Predict


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
