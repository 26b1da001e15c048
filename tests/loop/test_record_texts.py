"""A text is found in the input of a record, in whatever case it is written."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.loop.conftest import Make, Predict
from tests.support.reviewed_project import make_review

from alo.database.opening import open_database
from alo.layout import Workspace
from alo.loop.record_texts import places_with


def test_it_is_found_in_every_run_that_is_left(home: Path) -> None:
    workspace = Workspace(home)
    database = open_database(workspace)
    review = make_review(home, database)

    assert places_with(workspace, review, "FINE") == {2, 6, 10, 14}
    (place,) = places_with(workspace, review, "P000003")
    assert review.record_id(place).endswith(":3")
    shutil.rmtree(workspace.history / "inference" / review.runs[0].id)
    first = review.runs[0].first
    left = {2, 6, 10, 14} - set(range(first, first + 8))
    assert places_with(workspace, review, "fine") == left
    database.close()


def test_what_is_typed_finds_what_is_written_as_files_of_a_mac_are_called(
    home: Path, make: Make, predict: Predict
) -> None:
    predict([["\u110b\u1163\u11bc", "good", 0.9], ["x", "bad", 0.9]])
    review = make(random=1).review

    assert places_with(Workspace(home), review, "\uc591") == {0}  # 양, as a keyboard types it
