"""A review is made of runs: what can be reviewed is, the rest is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.database.connection import Database
from alo.errors import HistoryError, ReviewError, UsageError
from alo.history.browse import History
from alo.history.filters import Filters
from alo.history.pins import pins
from alo.history.record import CHECK, SHADOWED
from alo.layout import Workspace
from alo.loop.record_inputs import record_inputs
from alo.review.labels import Label
from alo.review.reviews import Reviews
from alo.tables.content import row_content

from .conftest import Give, Make, Predict


def test_all_runs_are_reviewed_unless_some_are_named(make: Make, predict: Predict) -> None:
    first, second = predict(), predict()

    everything = make(random=10)
    one = make("one", runs=[first])

    assert [each.id for each in everything.review.runs] == [second, first]
    assert everything.review.counts == {"records": 40}
    assert everything.queued == 10
    assert [each.id for each in one.review.runs] == [first]


def test_classes_that_were_seen_are_labels_behind_those_that_were_given(
    make: Make, predict: Predict
) -> None:
    predict()

    made = make(labels=["odd", Label(id="bad", name="bad", key="b")], probabilities={"good": "p"})

    assert list(made.review.labels.ids) == ["odd", "bad", "good"]


def test_rows_that_cannot_be_reviewed_are_counted(make: Make, predict: Predict) -> None:
    predict([["a", "good", 0.5], ["b", "", 0.5]])

    made = make(random=5)

    assert made.review.counts == {"records": 1, "no value in column 'prediction'": 1}
    assert made.queued == 1


def test_records_are_found_by_the_row_of_the_output_also_behind_one_that_was_left_out(
    make: Make, predict: Predict, database: Database
) -> None:
    run = predict([["a", "", 0.5], ["b", "bad", 0.5]])

    made = make(picked=[f"{run}:1"])

    (item,) = Reviews(database).items(made.review, queue_only=True)
    assert (item.id, item.record.predicted, item.record.source) == (f"{run}:1", "bad", "picked")
    for odd in (f"{run}:0", f"{run}:2", "x:1"):
        with pytest.raises(UsageError, match="have no record"):
            make("other", picked=[odd])


def test_the_same_seed_queues_the_same_records(
    make: Make, predict: Predict, database: Database
) -> None:
    predict()

    queues = [
        [each.id for each in Reviews(database).items(make(name, random=8, seed=seed).review,
         queue_only=True)]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]  # fmt: skip

    assert queues[0] == queues[1] != queues[2]


def test_whole_runs_are_reviewed_by_their_summary(
    make: Make, predict: Predict, database: Database
) -> None:
    run = predict()

    made = make(unit="request", random=5)

    (item,) = Reviews(database).items(made.review)
    assert (item.id, item.record.predicted, item.record.certainty) == (run, "fine", 0.6)
    assert list(made.review.labels.ids) == ["fine", "poor"]


@pytest.mark.parametrize("changes", [[f"request {CHECK}"], ["request r-1", SHADOWED]])
def test_what_a_model_was_only_tried_with_is_no_run_to_review_unless_it_is_named(
    make: Make, predict: Predict, home: Path, changes: list[str]
) -> None:
    run, check = predict(), predict()
    path = home / "history/inference" / check / "log/experimental_history.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "overrides": changes}))

    assert [each.id for each in make("all").review.runs] == [run]
    assert [each.id for each in make("named", runs=[check]).review.runs] == [check]


def test_nothing_to_review_is_said(make: Make, predict: Predict) -> None:
    with pytest.raises(UsageError, match="no inference run"):
        make()

    predict([["a", "", 0.1]])

    with pytest.raises(ReviewError, match="no record of these runs") as reported:
        make()
    assert "1 row: no value in column 'prediction'" in reported.value.where


def test_runs_that_are_none_are_refused(
    make: Make, predict: Predict, home: Path, run: Callable[..., object]
) -> None:
    predict()

    with pytest.raises(HistoryError):
        make(runs=["20200101"])
    make()
    with pytest.raises(UsageError, match="there is a review"):
        make()


def test_measured_numbers_are_no_classes(make: Make, predict: Predict) -> None:
    predict([[str(n), n / 7, 0.5] for n in range(300)])

    with pytest.raises(ReviewError, match="measurements, not classes"):
        make()


def test_a_run_of_the_command_line_is_joined_with_the_input_that_it_had(
    make: Make, predict: Predict, give: Give, home: Path, database: Database
) -> None:
    give({"rows.csv": "id,x\n" + "".join(f"k{n},{n}\n" for n in reversed(range(20)))})
    predict()
    (home / "data/rows.csv").write_text("id,x\n")

    made = make(key="id", random=20)

    assert made.review.counts == {"records": 20}
    item = Reviews(database).item(made.review, f"{made.review.runs[0].id}:3")
    assert item.record.content == row_content(["id", "x"])(["k3", "3"])


def test_it_is_said_where_nothing_can_be_uncertain(make: Make, predict: Predict) -> None:
    predict()

    made = make(random=2, uncertain=2)

    assert made.queued == 2
    assert "not known how certain" in made.notes[0]
    assert not make("other", random=2).notes


def test_a_name_that_is_taken_changes_nothing_that_is_kept_for_it(
    make: Make, predict: Predict, home: Path
) -> None:
    first, second = predict(), predict()
    make("r", runs=[first])

    with pytest.raises(UsageError, match="there is a review 'r'"):
        make("r", runs=[second])

    assert pins(Workspace(home)) == {first: ["review r"]}


def test_a_review_that_cannot_be_stored_keeps_no_run(
    make: Make, predict: Predict, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict()

    def full(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Reviews, "create", full)
    with pytest.raises(OSError, match="full"):
        make("r")

    assert pins(Workspace(home)) == {}


def test_the_label_is_what_the_solution_metadata_of_a_run_has_named(
    make: Make, home: Path, predict: Predict, run: Callable[..., object]
) -> None:
    predict()
    assert "label" not in make("before", random=1).review.asked
    said = {
        "pipeline": [{"type": "inference"}],
        "edgeconductor_interface": {"labeling_column_name": "diagnosis"},
    }
    run(home, mode="inference", system=json.dumps(said))

    assert make("after", random=1).review.asked["label"] == "diagnosis"
    assert make("told", random=1, label="own").review.asked["label"] == "own"


def test_a_run_that_cannot_be_read_is_counted_and_said_and_the_rest_is_reviewed(
    make: Make, predict: Predict, home: Path
) -> None:
    first, second = predict(), predict()
    output = History(Workspace(home)).find(first).folder / "output/output.csv"
    output.unlink()
    output.write_text("id,predicted\nk1,good\n")

    made = make(random=5)

    assert made.review.counts == {"records": 20, "a run whose results cannot be read": 1}
    assert [each.id for each in made.review.runs] == [second]
    assert made.notes == [
        f"output.csv has no column 'prediction', which review.prediction names ({output})"
    ]
    with pytest.raises(ReviewError, match="no column 'prediction'"):
        make("alone", runs=[first])


def test_filters_that_no_run_fits_are_what_the_error_names(make: Make, predict: Predict) -> None:
    predict()

    with pytest.raises(UsageError, match="fits --since and --filter"):
        make(filters=Filters(since="2100-01-01T00:00:00.000000Z"))


def test_thousands_of_columns_and_a_cell_of_ten_megabytes_are_reviewed_as_they_are(
    make: Make, predict: Predict, give: Give, home: Path
) -> None:
    large = "x, " * 3_400_000
    columns = [f"c{at}" for at in range(5000)]
    rows = [["k0", f'"{large}"', *"1" * 4999], ["k1", "small", *"2" * 4999]]
    give({"rows.csv": "\n".join(",".join(row) for row in (["id", *columns], *rows)) + "\n"})
    predict([["k0", "good", 0.5], ["k1", "bad", 0.9]])

    made = make(random=2, key="id")

    assert made.review.counts == {"records": 2}
    run = made.review.runs[0].id
    found = record_inputs(Workspace(home), made.review, [f"{run}:0", f"{run}:1"])
    assert [len(each.columns) for each in found.values()] == [5001, 5001]
    assert found[f"{run}:0"].values[1] == large
    assert found[f"{run}:1"].values[1:3] == ["small", "2"]


def test_labels_that_nobody_can_tell_apart_are_said(make: Make, predict: Predict) -> None:
    both = ("\u110b\u1163\u11bc", "\uc591")  # 양, as a file of a Mac is called, and as it is typed
    predict([[f"k{at}", both[at % 2], 0.9] for at in range(6)])

    made = make(random=4)

    assert sorted(made.review.labels.ids) == sorted(both)
    assert "'양' is 2 labels that look the same" in made.notes[0]
