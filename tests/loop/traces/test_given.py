"""Of a record in no review, the plan says how its results and its input are joined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alo.history.browse import History
from alo.layout import Workspace, find_plan
from alo.loop.traces.given import Given, given_by_plan, given_to_run


@pytest.fixture
def reversed_run(home: Path, inference: str) -> str:
    """The run, whose input has its rows the other way round."""
    path = next((home / "history/inference" / inference / "input").rglob("*.csv"))
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows), ""]))
    return inference


def of_row_7(home: Path, reversed_run: str) -> Given:
    entry = History(Workspace(home)).find(reversed_run)
    return given_by_plan(Workspace(home), entry, f"{reversed_run}:7")


def plan_says(home: Path, **review: object) -> None:
    path = find_plan(home)
    path.write_text(json.dumps({**json.loads(path.read_text()), "review": review}))


def test_by_the_key_of_the_plan(home: Path, reversed_run: str) -> None:
    plan_says(home, key="id")

    found = of_row_7(home, reversed_run)

    assert found.facts() == {"file": "asked/rows.csv", "row": 92, "files": []}
    assert list(found.input.values) == ["k7", "7"]


def test_by_position_where_it_names_none(home: Path, reversed_run: str) -> None:
    found = of_row_7(home, reversed_run)

    assert (found.facts()["row"], list(found.input.values)) == (7, ["k92", "92"])


def test_columns_that_the_results_do_not_have_do_not_matter(home: Path, reversed_run: str) -> None:
    whole = of_row_7(home, reversed_run)
    plan_says(home, prediction="class", certainty="sure", key="patient")

    assert of_row_7(home, reversed_run).content == whole.content != ""


def test_a_plan_that_cannot_be_read_says_nothing(home: Path, reversed_run: str) -> None:
    find_plan(home).write_text("{")

    assert of_row_7(home, reversed_run).facts()["file"] == "asked/rows.csv"


def test_a_row_that_cannot_be_joined_says_why(home: Path, reversed_run: str) -> None:
    path = next((home / "history/inference" / reversed_run / "input").rglob("*.csv"))
    path.write_text("id,x\nk0,0\n")

    found = of_row_7(home, reversed_run)

    assert found.facts()["state"] == "pruned"
    assert "review.key names the column" in str(found.facts()["why"])
    assert found.content == ""


def test_the_files_of_a_whole_run_are_named_up_to_a_number(home: Path, reversed_run: str) -> None:
    entry = History(Workspace(home)).find(reversed_run)
    assert given_to_run(entry) == {"file": "asked/rows.csv"}
    for number in range(30):
        (entry.folder / "input" / f"{number:02}.txt").touch()

    files = given_to_run(entry)["files"]

    assert isinstance(files, list)
    assert (len(files), files[0]) == (20, "00.txt")
