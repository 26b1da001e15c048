"""`alo dataset`, as people and scripts call it: from a review to the data of the next model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alo.cli.main import main
from alo.database.opening import open_database
from alo.files import remove_tree
from alo.layout import Workspace
from alo.review.labels import Labels
from alo.review.reviews import Reviews

Command = Callable[..., tuple[int, str, str]]
OUTPUT = """
import csv
from pathlib import Path

with next(Path(self.asset.get_input_path()).rglob("*.csv")).open() as file:
    rows = list(csv.DictReader(file))
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("id,prediction\\n")
    file.writelines(f"{row['id']},good\\n" for row in rows)
self.asset.save_summary("fine", 0.5)
"""


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project whose inference predicts `good` for 30 rows, ten of which the train data has."""
    home = make_solution(
        train={"train": "pass"},
        inference={"infer": OUTPUT},
        external={
            "load_train_data_path": "./known/",
            "load_inference_data_path": "./asked/",
        },
    )
    for folder, header, cells in (("known", "id,x,kind", ",bad"), ("asked", "id,x", "")):
        (home / folder).mkdir()
        rows = range(10) if folder == "known" else range(30)
        text = "\n".join([header, *(f"k{n},{n}{cells}" for n in rows), ""])
        (home / folder / "rows.csv").write_text(text)
    return home


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """``command("dataset", "list")``: its status, what was written; a review is all accepted."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--project", str(home)])
        written = capsys.readouterr()
        return status, written.out, written.err

    assert call("run", "--mode", "inference", "--quiet")[0] == 0
    new = ("review", "new", "r", "--random", "30", "--key", "id", "--label", "kind")
    assert call(*new)[0] == 0
    items = json.loads(call("review", "show", "r", "--json")[1])["items"]
    lines = [f"{item['record']},accept" for item in items]
    lines[0] = f"{items[0]['record']},skip"
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict", *lines]))
    assert call("review", "decide", "r", "--from", str(tmp_path / "d.csv"))[0] == 0
    return call


def as_json(reported: tuple[int, str, str]) -> dict[str, object]:
    status, out, err = reported
    assert (status, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


def test_a_data_set_is_the_train_data_of_the_plan_with_what_people_said(
    command: Command, home: Path
) -> None:
    made = as_json(command("dataset", "make", "d", "--review", "r", "--note", "first", "--json"))

    counts = made["counts"]
    assert isinstance(counts, dict)
    assert (made["name"], made["version"], made["note"]) == ("d", "v1", "first")
    assert counts["skipped"] == 1
    assert counts["overruled"] + counts["moved_to_test"] in (9, 10)
    assert sum(counts["train"].values()) + sum(counts["test"].values()) in (29, 30)
    text = (home / "datasets/d/v1/train/known/rows.csv").read_text()
    assert text.startswith("id,x,kind\n")
    assert "kind" not in (home / "datasets/d/v1/test/test.csv").read_text()


def test_the_train_pipeline_takes_it_as_its_data(command: Command, home: Path) -> None:
    command("dataset", "make", "d", "--review", "r")
    plan = home / "solution/experimental_plan.yaml"
    content = json.loads(plan.read_text())
    content["external_path"]["load_train_data_path"] = "./datasets/d/v1/train/known/"
    plan.write_text(json.dumps(content))

    assert command("run", "--mode", "train", "--quiet")[0] == 0

    given = (home / "input/train/known/rows.csv").read_bytes()
    assert given == (home / "datasets/d/v1/train/known/rows.csv").read_bytes()
    status, _, err = command("dataset", "remove", "d@v1")
    assert (status, "was trained on it" in err) == (1, True)
    assert command("dataset", "remove", "d@v1", "--force")[0] == 0


def test_what_is_made_of_the_same_is_not_made_again(command: Command) -> None:
    command("dataset", "make", "d", "--review", "r")

    status, out, _ = command("dataset", "make", "d", "--review", "r", "--note", "again")

    assert (status, out) == (0, "d@v1 is made of the same decisions already\n")


def test_data_sets_are_listed_shown_compared_verified_and_exported(
    command: Command, tmp_path: Path
) -> None:
    assert "no data sets yet" in command("dataset")[1]
    command("dataset", "make", "d", "--review", "r")
    command("dataset", "make", "d", "--review", "r", "--base", "none")

    assert [each["version"] for each in json.loads(command("dataset", "list", "--json")[1])] == [
        "v2",
        "v1",
    ]
    assert "data set d@v2" in command("dataset", "show", "d")[1]
    assert re.search(r"^test: \d+ rows? \(\w+: \d", command("dataset", "show", "d")[1], re.M)
    assert as_json(command("dataset", "show", "d@v1", "--json"))["base"] == "plan"
    assert command("dataset", "diff", "d@v1", "d@v2")[1].startswith("0 rows added\n")
    assert command("dataset", "verify")[1] == "2 versions verified, none damaged\n"
    assert command("dataset", "export", "d", str(tmp_path / "d.zip"))[0] == 0
    assert (tmp_path / "d.zip").is_file()


def test_damage_makes_the_status_one_and_is_named(command: Command, home: Path) -> None:
    command("dataset", "make", "d", "--review", "r")
    path = home / "datasets/d/v1/rows.jsonl"
    path.chmod(0o644)
    path.write_text("")

    status, out, _ = command("dataset", "verify", "--json")

    assert (status, json.loads(out)) == (
        1,
        [{"version": "d@v1", "damage": [{"path": "rows.jsonl", "what": "changed"}]}],
    )


def test_a_damaged_version_is_not_exported(home: Path, command: Command, tmp_path: Path) -> None:
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    path = home / "datasets/d/v1/test_labels.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"good", b"fine"))

    status, _, err = command("dataset", "export", "d", str(tmp_path / "out"))

    assert (status, "is damaged: test_labels.csv changed" in err) == (1, True), err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "status", "what"),
    [
        (("make", "d", "--review", "none"), 2, "there is no review 'none'"),
        (("make", "d", "--review", "r", "--base", "nowhere"), 2, "there is no data set 'nowhere'"),
        (("make", "d", "--review", "r", "--base", "./gone"), 2, "there is no base './gone'"),
        (("make", "d", "--review", "r", "--label", "odd"), 1, "a column 'odd'"),
        (("show", "none"), 2, "there is no data set 'none'"),
        (("frob",), 2, "alo dataset has no action 'frob'"),
    ],
)
def test_what_makes_no_sense_is_an_error_in_words(
    command: Command, words: Sequence[str], status: int, what: str
) -> None:
    found, _, err = command("dataset", *words)

    assert (found, what in err) == (status, True)


def test_a_run_that_is_gone_is_said(command: Command, home: Path) -> None:
    run = json.loads(command("history", "--json")[1])[0]["id"]
    remove_tree(home / "history/inference" / run)  # by hand: `alo history remove` would not

    status, _, err = command("dataset", "make", "d", "--review", "r")

    assert (status, f"run {run} is in history no more" in err) == (1, True)


def test_a_closed_review_needs_its_run_no_more(command: Command, home: Path) -> None:
    run = json.loads(command("history", "--json")[1])[0]["id"]
    assert command("history", "remove", run)[0] == 1

    assert command("review", "close", "r")[0] == 0

    assert command("history", "remove", run)[0] == 0
    assert as_json(command("dataset", "make", "d", "--review", "r", "--json"))["version"] == "v1"


def test_a_review_of_whole_runs_has_no_rows_to_learn_from(command: Command) -> None:
    command("review", "new", "whole", "--unit", "request")

    status, _, err = command("dataset", "make", "d", "--review", "whole")

    assert (status, "whole requests" in err) == (1, True)


def test_a_damaged_version_is_listed_as_one(command: Command, home: Path) -> None:
    command("dataset", "make", "d", "--review", "r")
    path = home / "datasets/d/v1/manifest.json"
    path.chmod(0o644)
    path.write_text("")

    status, _, err = command("dataset", "list")

    assert (status, err) == (0, "d@v1 is damaged: alo dataset verify says how\n")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda lines: lines[:2], "its row is gone"),
        (lambda lines: [lines[0], *(f"9{line}" for line in lines[1:])], "not as it was reviewed"),
    ],
)
def test_a_run_that_was_changed_since_is_not_learned_from(
    command: Command, home: Path, change: Callable[[list[str]], list[str]], what: str
) -> None:
    (path,) = (home / "history/inference").glob("*/output/output.csv")
    lines = path.read_text().splitlines()
    path.unlink()  # the workspace has the same file
    path.write_text("\n".join([*change(lines), ""]))

    status, _, err = command("dataset", "make", "d", "--review", "r")

    assert (status, what in err) == (1, True), err


def test_one_label_alone_and_no_test_rows_are_said(command: Command, home: Path) -> None:
    (home / "known/rows.csv").write_text("id,x,kind\nz,1,good\n")

    _, out, _ = command("dataset", "make", "d", "--review", "r", "--test-share", "0")

    assert "all train rows have the same label" in out
    assert "no row tests" in out


@pytest.mark.parametrize(
    ("change", "is_said"),
    [
        (lambda labels: labels.rename("bad", "poor"), True),
        (lambda labels: labels.merge("bad", "good"), True),
        (lambda labels: labels.rename("good", "fine"), False),  # no row of the base has it
        (lambda labels: labels, False),
    ],
)
def test_a_label_that_the_base_calls_otherwise_is_said(
    command: Command, home: Path, change: Callable[[Labels], Labels], is_said: bool
) -> None:
    (home / "known/rows.csv").write_text("id,x,kind\nz,1,bad\n")
    database = open_database(Workspace(home))
    Reviews(database).change_labels("r", lambda labels: change(labels.add("bad")))
    database.close()

    status, _, err = command("dataset", "make", "d", "--review", "r")

    assert status == 0
    assert ("and 'bad' in 1 train row: a model takes them for two labels" in err) == is_said, err


def test_a_damaged_version_is_no_base(command: Command, home: Path) -> None:
    command("dataset", "make", "d", "--review", "r")
    path = home / "datasets/d/v1/train/known/rows.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x,1,bad\n")

    status, _, err = command("dataset", "make", "e", "--review", "r", "--base", "d@v1")

    assert (status, "d@v1 is damaged: train/known/rows.csv changed" in err) == (1, True)


def test_the_base_is_not_here_is_said(command: Command, home: Path) -> None:
    remove_tree(home / "known")

    status, _, err = command("dataset", "make", "d", "--review", "r")

    assert (status, "the train data of the plan is not here" in err) == (2, True)


def test_what_review_and_base_say_differently_is_the_reviews_and_counted(
    command: Command, home: Path
) -> None:
    made = as_json(command("dataset", "make", "d", "--review", "r", "--test-share", "0", "--json"))

    rows = (home / "datasets/d/v1/train/known/rows.csv").read_text().splitlines()
    known = [row for row in rows[1:] if row.partition(",")[0] in {f"k{n}" for n in range(10)}]
    counts = made["counts"]
    assert isinstance(counts, dict)
    assert counts["overruled"] == sum(row.endswith(",good") for row in known) in (9, 10)
