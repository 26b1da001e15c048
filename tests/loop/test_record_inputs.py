"""What a model was given for a record is read from its run, or it is said why it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.files import remove_tree
from alo.history.browse import History
from alo.layout import Workspace
from alo.loop.new_review import NewReview
from alo.loop.record_inputs import record_inputs
from alo.review.results.inputs import RecordInput
from alo.review.rows import Review

from .conftest import Give, Make, Predict

ROWS = "id,x\n" + "".join(f"k{n},{n}\n" for n in reversed(range(20)))


def one(home: Path, made: NewReview | Review, record: str) -> RecordInput:
    review = made.review if isinstance(made, NewReview) else made
    return record_inputs(Workspace(home), review, [record])[record]


def test_rows_are_found_by_the_key_with_their_table_and_row(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    give({"rows.csv": ROWS})
    run = predict()

    found = one(home, make(key="id", random=3), f"{run}:3")

    assert (list(found.columns), list(found.values)) == (["id", "x"], ["k3", "3"])
    assert (found.table, found.row, found.key, found.why) == ("data/rows.csv", 16, "k3", "")


def test_rows_are_found_by_position_through_all_tables(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    lines = ROWS.splitlines(keepends=True)
    give({"a.csv": "".join(lines[:8]), "b.csv": "".join([lines[0], *lines[8:]])})
    run = predict()
    made = make(random=3)

    found = record_inputs(Workspace(home), made.review, [f"{run}:9", f"{run}:0"])

    assert list(found) == [f"{run}:9", f"{run}:0"]
    places = [(each.table, each.row, each.values[0]) for each in found.values()]
    assert places == [("data/b.csv", 2, "k10"), ("data/a.csv", 0, "k19")]


def test_without_the_input_it_is_what_the_output_has_beside_the_prediction(
    home: Path, make: Make, predict: Predict
) -> None:
    run = predict()

    found = one(home, make(random=3, certainty="p"), f"{run}:2")

    assert (list(found.columns), list(found.values)) == (["id"], ["k2"])
    assert (found.table, found.row) == ("", None)


def test_a_picture_is_found_and_one_that_is_missing_is_said_so(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    give({"k0": b"zero", "k1": b"one"})
    run = predict([["k0", "good", 0.5], ["k1", "bad", 0.5], ["k2", "bad", 0.5]])
    made = make(image="id", random=3)
    folder = History(Workspace(home)).find(run).folder
    (folder / "input/data/k1").unlink()

    zero, gone, never = (one(home, made, f"{run}:{at}") for at in range(3))

    assert zero.picture is not None
    assert zero.picture.read_bytes() == b"zero"
    assert [gone.picture, gone.why] == [None, "its picture is missing"]
    assert never.why == "its picture is missing"
    assert made.review.counts == {"records": 2, "its picture is missing": 1}


def test_of_a_whole_request_it_is_all_its_files(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    give({"a.csv": "x\n1\n", "b/c.bin": b"\0"})
    run = predict()

    found = one(home, make(unit="request", random=3), run)

    assert {name: path.read_bytes() for name, path in found.files.items()} == {
        "data/a.csv": b"x\n1\n",
        "data/b/c.bin": b"\0",
    }


def test_a_run_that_is_gone_takes_no_record_of_another_with_it(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    give({"rows.csv": ROWS})
    first, second = predict(), predict()
    made = make(random=3)
    remove_tree(History(Workspace(home)).find(first).folder)

    found = record_inputs(Workspace(home), made.review, [f"{first}:1", f"{second}:1"])

    assert [each.why for each in found.values()] == [f"run {first} is in history no more", ""]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "has no output.csv"),
        ("", "has no column 'prediction'"),
        ("id,prediction,p\nk0,good,0.5\n", "its row is gone from the output"),
        ("id,prediction,p\n" + "zz,good,0.5\n" * 20, "its 'id' is more than once in the output"),
    ],
)
def test_an_output_that_was_changed_is_a_reason(
    home: Path, make: Make, predict: Predict, give: Give, content: str | None, why: str
) -> None:
    give({"rows.csv": ROWS})
    run = predict()
    made = make(key="id", random=3)
    output = History(Workspace(home)).find(run).folder / "output/output.csv"
    output.unlink()
    if content is not None:
        output.write_text(content)

    assert why in one(home, made, f"{run}:3").why


def test_the_content_id_is_that_of_the_review(
    home: Path, make: Make, predict: Predict, give: Give
) -> None:
    give({"rows.csv": ROWS})
    run = predict()
    made = make(key="id", random=3, label="x")

    assert one(home, made, f"{run}:3").content("x")[0]
    assert one(home, made, f"{run}:3").content("") != one(home, made, f"{run}:3").content("x")
