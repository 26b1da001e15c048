"""`alo review`, as people and scripts call it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from tests.loop.conftest import OUTPUT, ROWS
from tests.support.postgres_server import PostgresServer

from alo.cli.main import main
from alo.database.opening import open_database
from alo.history.pins import all_pins, pin, pins
from alo.layout import Workspace
from alo.loop.held_runs import MAKING_S
from alo.review.reviews import Reviews
from alo.review.settings import PictureTruth

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return make_solution(inference={"infer": OUTPUT}, args={"infer": {"rows": ROWS}})


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """``command("review", "list")``: its status, and what was written; in a project of one run."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--project", str(home)])
        written = capsys.readouterr()
        return status, written.out, written.err

    assert call("run", "--quiet")[0] == 0
    return call


def as_json(reported: tuple[int, str, str]) -> dict[str, object]:
    status, out, err = reported
    assert (status, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


def records_of(command: Command, name: str = "r") -> Sequence[dict[str, object]]:
    items = as_json(command("review", "show", name, "--json"))["items"]
    assert isinstance(items, list)
    return items


def made_until_the_kill(home: Path, name: str, age_s: float, known_in: str) -> Path:
    """The pin of a review whose making was killed before it was stored."""
    pin(Workspace(home), f"review {name}", ["run-1"], known_in)
    path = next(each.path for each in all_pins(Workspace(home)) if each.runs == ["run-1"])
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


def test_the_runs_of_a_review_that_was_never_made_are_released(
    command: Command, home: Path
) -> None:
    command("review", "new", "r", "--random", "2", "--certainty", "p")
    path = made_until_the_kill(home, "never", 2 * MAKING_S, "studio.sqlite")
    assert {*chain(*pins(Workspace(home)).values())} == {"review r", "review never"}

    status, out, err = command("review", "list", "--json")

    assert (status, err.splitlines()) == (
        0, ["review never was never made: 1 run is kept for it no more"],
    )  # fmt: skip
    assert [each["name"] for each in json.loads(out)] == ["r"]
    assert not path.exists()
    assert {*chain(*pins(Workspace(home)).values())} == {"review r"}
    assert command("review", "list")[2] == ""


@pytest.mark.parametrize(
    ("age_s", "known_in"),
    [(1.0, "studio.sqlite"), (2 * MAKING_S, "postgresql://db/studio"), (2 * MAKING_S, "")],
)
def test_where_that_is_not_certain_it_is_said_who_holds_runs_and_how_they_are_released(
    command: Command, home: Path, age_s: float, known_in: str
) -> None:
    path = made_until_the_kill(home, "other", age_s, known_in)

    err = command("review", "list")[2]

    assert "1 run is kept for review other" in err
    assert f"remove {path}" in err
    assert path.exists()


def test_a_review_from_its_making_to_the_accuracy(command: Command, tmp_path: Path) -> None:
    made = command("review", "new", "r", "--random", "12", "--seed", "5", "--certainty", "p")
    assert made[1].startswith("review r: 12 of 20 records are queued, of 1 run\n")
    shown = as_json(command("review", "show", "r", "--json"))
    assert {"name", "state", "runs", "seed", "population", "counts", "labels", "agreement",
            "items"} == set(shown)  # fmt: skip
    assert (shown["seed"], shown["population"], shown["state"]) == (5, 20, "open")

    lines = [f"{item['record']},accept" for item in records_of(command)]
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict", *lines]))
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))[:2] == (
        0,
        "12 saved\n",
    )

    found = as_json(command("review", "accuracy", "r", "--json"))
    assert found["estimate"] == 1.0
    assert {"estimate", "low", "high", "level", "method", "population", "reviewed", "strata",
            "by_class", "enough", "needed", "waiting", "waits_for"} == set(found)  # fmt: skip
    assert "accuracy 100.0%, from" in command("review", "accuracy", "r")[1]


def test_the_accuracy_names_the_undecided_record_that_decided_ones_wait_for(
    command: Command, tmp_path: Path
) -> None:
    command("review", "new", "r", "--random", "12", "--seed", "5", "--certainty", "p")
    first, *others = [str(item["record"]) for item in records_of(command)]
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict", *(f"{r},accept" for r in others)]))
    command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))

    shown = command("review", "accuracy", "r")[1]

    assert (
        f"11 decided records do not count yet: {first}, which comes before, is undecided" in shown
    )
    assert "more random" not in shown


def test_a_decision_that_is_refused_makes_the_status_one_and_keeps_the_others(
    command: Command, tmp_path: Path
) -> None:
    command("review", "new", "r")
    first = records_of(command)[0]["record"]
    (tmp_path / "d.csv").write_text(f"record,verdict,label\nx:0,accept,\n{first},change,bad\n")

    status, out, err = command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))

    assert (status, out) == (1, "1 refused, 1 saved\n")
    assert "x:0: refused: review 'r' has no such record" in err
    assert records_of(command)[0]["label"] == "bad"


def test_what_was_exported_with_other_labels_is_imported(command: Command, tmp_path: Path) -> None:
    command("review", "new", "r", "--random", "3")
    file = tmp_path / "out.csv"
    assert command("review", "export", "r", "--to", str(file))[0] == 0
    assert command("review", "export", "r", "--to", "-")[1] == file.read_text()
    rows = file.read_text().splitlines()
    label = rows[0].split(",").index("label")
    edited = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[label] = "bad"
        edited.append(",".join(cells))
    file.write_text("\n".join(edited))

    assert command("review", "import", "r", str(file))[:2] == (0, "3 saved\n")
    assert {item["label"] for item in records_of(command)} == {"bad"}


def test_an_import_overwrites_nothing_that_was_decided_since_the_export(
    command: Command, tmp_path: Path
) -> None:
    command("review", "new", "r", "--random", "3")
    file = tmp_path / "out.jsonl"
    assert command("review", "export", "r", "--format", "jsonl", "--to", str(file))[0] == 0
    rows = [{**json.loads(line), "label": "bad"} for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "d.csv").write_text(f"record,verdict\n{rows[0]['record']},skip\n")
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))[0] == 0

    status, out, err = command("review", "import", "r", str(file))

    assert (status, out) == (1, "1 conflict, 2 saved\n")
    assert f"{rows[0]['record']}: conflict" in err
    labels = {item["record"]: item["label"] for item in records_of(command)}
    assert [labels[row["record"]] for row in rows] == [None, "bad", "bad"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "label-studio"])
def test_an_export_is_imported_whatever_its_file_is_called(
    command: Command, tmp_path: Path, form: str
) -> None:
    command("review", "new", "r", "--random", "3")
    accepted = [f"{item['record']},accept" for item in records_of(command)]
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict", *accepted]))
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))[0] == 0
    file = tmp_path / f"e.{form}-of-ours"
    assert command("review", "export", "r", "--format", form, "--to", str(file))[0] == 0

    assert command("review", "import", "r", str(file))[:2] == (0, "3 unchanged\n")


def test_which_records_are_reviewed_and_what_their_columns_mean_may_all_be_options(
    command: Command, home: Path
) -> None:
    plan = home / "solution/experimental_plan.yaml"
    content = json.loads(plan.read_text())
    content["user_parameters"]["inference_pipeline"][0]["args"]["mark"] = "second"
    plan.write_text(json.dumps(content))
    assert command("run", "--quiet")[0] == 0
    second, first = (each["id"] for each in json.loads(command("history", "--json")[1]))
    surest = f"{first}:19"

    which = {
        "a": (("--runs", first, "--uncertain", "4", "--pick", surest), {first}),
        "b": (("--filter", "infer.mark=second", "--random", "2", "--uncertain", "2"), {second}),
        "c": (("--since", "1h", "--random", "40"), {first, second}),
    }
    for name, (words, runs) in which.items():
        made = as_json(command("review", "new", name, *words, "--certainty", "p", "--json"))
        assert set(made["runs"]) == runs  # type: ignore[call-overload]
    sources = [(each["record"], each["source"]) for each in records_of(command, "a")]
    assert sorted(source for _, source in sources) == ["picked", *["uncertain"] * 4]
    assert (surest, "picked") in sources
    least = {each["record"] for each in records_of(command, "a") if each["source"] == "uncertain"}
    assert least == {f"{first}:{n}" for n in range(4)}
    assert len(records_of(command, "c")) == 40

    how = ("--unit", "row", "--prediction", "prediction", "--probability", "good=p", "--key", "id",
           "--label", "kind", "--slices", "id", "--truth", "sub/labels.csv:file",
           "--labels", "odd")  # fmt: skip
    command("review", "new", "d", "--random", "1", *how)
    with closing(open_database(Workspace(home))) as database:
        settings = Reviews(database).get("d").settings
    assert (settings.unit, settings.prediction, settings.key) == ("row", "prediction", "id")
    assert (settings.label, list(settings.slices)) == ("kind", ["id"])
    assert settings.truth == PictureTruth(layout="csv", file="sub/labels.csv", path="file")
    assert dict(settings.probabilities) == {"good": "p"}


def test_it_is_said_how_many_inferences_the_review_cannot_speak_for(command: Command) -> None:
    before = as_json(command("review", "new", "whole", "--random", "1", "--json"))
    command("review", "remove", "whole")
    (lost,) = (each["id"] for each in json.loads(command("history", "--json")[1]))
    assert command("run", "--quiet")[0] == 0
    assert command("history", "remove", lost)[0] == 0

    after = as_json(command("review", "new", "r", "--random", "1", "--json"))
    (run,) = after["runs"]  # type: ignore[misc]
    named = command("review", "new", "named", "--random", "1", "--runs", str(run))[1]

    assert before["notes"] == []
    assert "1 inference is not in history (counted since 20" in str(after["notes"])
    assert "not in history" not in named
    assert "note: 1 inference is not" in command("review", "new", "told", "--random", "1")[1]
    for words in (("show", "r"), ("accuracy", "r")):
        assert "1 inference is not in history" in command("review", *words)[1]
    for words in (("show", "named"), ("accuracy", "named")):
        assert "not in history" not in command("review", *words)[1]


def test_the_accuracy_is_estimated_by_the_method_that_is_asked_for(
    command: Command, home: Path, tmp_path: Path
) -> None:
    plan = home / "solution/experimental_plan.yaml"
    content = json.loads(plan.read_text())
    rows = [[f"k{n}", "good", 0.8] for n in range(100)]
    content["user_parameters"]["inference_pipeline"][0]["args"]["rows"] = rows
    plan.write_text(json.dumps(content))
    command("run", "--quiet")
    command("review", "new", "r", "--random", "60", "--certainty", "p")
    said = (f"{item['record']},accept" for item in records_of(command))
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict", *said]))
    command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))

    for method in ("stratified", "ppi"):
        reported = as_json(command("review", "accuracy", "r", "--method", method, "--json"))
        assert reported["method"] == method


def test_an_export_without_a_file_is_all_of_standard_output(command: Command) -> None:
    command("review", "new", "r", "--random", "3")

    status, out, _ = command("review", "export", "r", "--format", "jsonl")

    assert status == 0
    assert len([json.loads(line) for line in out.splitlines()]) == 3


def test_the_plan_says_what_the_columns_mean_unless_an_option_does(
    command: Command, home: Path
) -> None:
    plan = home / "solution/experimental_plan.yaml"
    content = json.loads(plan.read_text())
    content["review"] = {
        "certainty": "p",
        "labels": ["odd", {"name": "bad", "key": "b"}],
        "label": "kind",
    }
    plan.write_text(json.dumps(content))

    command("review", "new", "r", "--random", "3")
    command("review", "new", "other", "--random", "3", "--probability", "good=p", "--labels", "odd")

    first, second = (as_json(command("review", "show", name, "--json")) for name in ("r", "other"))
    assert [each["key"] for each in first["labels"]] == ["", "b", ""]  # type: ignore[attr-defined]
    assert all(each["certainty"] is not None for each in records_of(command))
    names = [each["name"] for each in second["labels"]]  # type: ignore[attr-defined]
    assert names == ["odd", "bad", "good"]


def test_reviews_are_listed_closed_reopened_and_removed(command: Command) -> None:
    assert command("review")[1] == "no reviews yet: alo review new NAME\n"
    command("review", "new", "r")

    assert "r     open   0 of 20" in command("review", "list")[1]
    assert command("review", "close", "r")[1] == "review r is closed\n"
    assert as_json(command("review", "reopen", "r", "--json"))["state"] == "open"
    assert command("review", "remove", "r")[1] == "review r was removed\n"
    assert json.loads(command("review", "list", "--json")[1]) == []


def test_the_runs_of_an_open_review_stay_in_history(command: Command) -> None:
    command("review", "new", "r")
    run = json.loads(command("history", "--json")[1])[0]["id"]

    status, _, err = command("history", "remove", run)
    assert (status, "review r needs it" in err) == (1, True)

    command("review", "close", "r")
    command("review", "reopen", "r")
    assert command("history", "remove", run)[0] == 1
    command("review", "remove", "r")
    assert command("history", "remove", run)[0] == 0


@pytest.mark.parametrize(
    ("words", "status", "what"),
    [
        (("show", "none"), 2, "there is no review 'none'"),
        (("frob",), 2, "alo review has no action 'frob'"),
        (("new", "a/b"), 2, "no review can be called 'a/b'"),
        (("new", "r", "--probability", "good"), 2, "takes CLASS=COLUMN"),
        (("new", "r", "--second-look", "2"), 2, "a share from 0 to 1"),
        (("new", "r", "--prediction", "nope"), 1, "no column 'nope'"),
        (("new", "r", "--since", "2100-01-01"), 2, "no inference run that succeeded fits"),
        (("decide", "r", "--from", "/none"), 2, "no review 'r'"),
    ],
)
def test_what_makes_no_sense_is_an_error_in_words(
    command: Command, words: tuple[str, ...], status: int, what: str
) -> None:
    found, _, err = command("review", *words)

    assert (found, what in err) == (status, True)


def test_a_team_reviews_in_a_database_of_its_own(
    command: Command, postgres: PostgresServer
) -> None:
    url = postgres.new_database()

    assert command("review", "new", "r", "--database-url", url)[0] == 0

    (found,) = json.loads(command("review", "list", "--json", "--database-url", url)[1])
    assert found["name"] == "r"
    assert json.loads(command("review", "list", "--json")[1]) == []
