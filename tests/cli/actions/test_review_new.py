"""`alo review new`: every key of the plan's `review` is an option, too, and is checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.loop_project import Command, caller, write_loop_project

from alo.cli.main import main
from alo.database.opening import open_database
from alo.datasets.catalog import Catalog
from alo.layout import Workspace
from alo.plan.keys.review import REVIEW
from alo.review.labels import Label
from alo.review.reviews import Reviews
from alo.review.rows import Review
from alo.review.settings import PictureTruth, ReviewSettings

OUTPUT = """
(Path(self.asset.get_output_path()) / "output.csv").write_text(self.args["table"])
self.asset.save_summary("fine", 0.5, probability={"fine": 0.6, "poor": 0.4})
"""
TABLE = "id,site,file,verdict,p,sure\n" + "".join(
    f"k{n},{'AB'[n % 2]},{n}.png,{'good' if n % 3 else 'bad'},0.{n + 1},0.{9 - n}\n"
    for n in range(9)
)
ROW = ("--prediction", "verdict")


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project with a run whose input has a table and the pictures that it names."""
    home = make_solution(
        inference={"infer": OUTPUT},
        args={"infer": {"table": TABLE}},
        external={"load_inference_data_path": "./asked/"},
    )
    (home / "asked").mkdir()
    rows = [f"k{n},{'AB'[n % 2]},{n / 7}" for n in range(9)]
    (home / "asked/rows.csv").write_text("\n".join(["id,site,x", *rows, ""]))
    for n in range(8):
        (home / f"asked/{n}.png").write_bytes(b"picture %d" % n)
    assert main(["run", "--quiet", "--project", str(home)]) == 0
    return home


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    return caller(home, capfd)


def made(command: Command, home: Path, *words: str) -> Review:
    reported = command("review", "new", "r", "--random", "9", *words)
    assert reported[0] == 0, reported
    with closing(open_database(Workspace(home))) as database:
        return Reviews(database).get("r")


def say_in_plan(home: Path, **review: object) -> None:
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "review": review}))


# key of `review` -> options, and what the review has of them
OPTIONS: dict[str, tuple[tuple[str, ...], Callable[[Review], object], object]] = {
    "unit": (("--unit", "request"), lambda it: it.unit, "request"),
    "prediction": (ROW, lambda it: it.settings.prediction, "verdict"),
    "probabilities": (
        (*ROW, "--probability", "good=p", "--probability", "bad=sure"),
        lambda it: it.settings.probabilities,
        {"good": "p", "bad": "sure"},
    ),
    "certainty": ((*ROW, "--certainty", "sure"), lambda it: it.settings.certainty, "sure"),
    "key": ((*ROW, "--key", "id"), lambda it: it.settings.key, "id"),
    "image": (
        (*ROW, "--image", "file"),
        lambda it: (it.settings.image, it.counts),
        ("file", {"records": 8, "its picture is missing": 1}),
    ),
    "label": ((*ROW, "--label", "kind"), lambda it: it.settings.label, "kind"),
    "truth": (
        (*ROW, "--image", "file", "--truth", "sub/labels.csv:file"),
        lambda it: it.settings.truth,
        PictureTruth(layout="csv", file="sub/labels.csv", path="file"),
    ),
    "labels": (
        (*ROW, "--labels", "odd", "a=b", "--label-key", "bad=b", "--label-key", "a=b=q",
         "--label-colour", "bad=#b03030"),
        lambda it: it.labels.shown,
        [Label(id="odd", name="odd"), Label(id="a=b", name="a=b", key="q"),
         Label(id="bad", name="bad", key="b", colour="#b03030"), Label(id="good", name="good")],
    ),
    "slices": ((*ROW, "--slices", "site", "x"), lambda it: it.settings.slices, ["site", "x"]),
    "gate": (
        (*ROW, "--gate", "min_rows=5", "--gate", "max_loss=0.3"),
        lambda it: it.settings.gate,
        {"min_rows": 5, "max_loss": 0.3},
    ),
}  # fmt: skip


def test_each_key_of_the_plan_has_an_option() -> None:
    assert list(OPTIONS) == list(REVIEW.keys)


@pytest.mark.parametrize("key", OPTIONS)
def test_what_an_option_says_is_what_the_review_has(command: Command, home: Path, key: str) -> None:
    words, has, wanted = OPTIONS[key]

    assert has(made(command, home, *words)) == wanted


def test_keys_and_colours_are_those_of_labels_of_the_plan_too(command: Command, home: Path) -> None:
    say_in_plan(home, prediction="verdict", labels=["odd", {"name": "bad", "key": "b"}])

    review = made(command, home, "--label-key", "odd=b", "--label-key", "bad=q")

    assert [(each.name, each.key) for each in review.labels.shown] == [
        ("odd", "b"), ("bad", "q"), ("good", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--probability", "good"), "--probability takes CLASS=COLUMN, not 'good'"),
        (("--label-key", "good"), "--label-key takes NAME=KEY, not 'good'"),
        (("--label-key", "good=a"), "the key 'a' is a command's"),
        (("--label-key", "good=b", "--label-key", "bad=b"), "the key 'b' is that of"),
        (("--label-key", "nope=b"), "there is no label 'nope' to have the key 'b'"),
        (("--label-colour", "good=red"), "'red' is no colour"),
        (("--gate", "odd=1"), "--gate takes KEY=VALUE, not 'odd=1'"),
        (("--gate", "max_loss=2"), "max_loss is a share from 0 to 1"),
        (("--truth", "labels"), "--truth takes folders, or FILE:COLUMN"),
    ],
)
def test_what_an_option_cannot_be_is_said(
    command: Command, words: tuple[str, ...], what: str
) -> None:
    status, _, err = command("review", "new", "r", *ROW, *words)

    assert (status, what in err) == (2, True), err
    assert command("review", "list", "--json")[1] == "[]\n"


@pytest.mark.parametrize("is_planned", [False, True])
@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("slices", "sit", "no input has a column 'sit', which review.slices names"),
        ("slices", "verdict", "no input has a column 'verdict'"),
        ("label", "measured", "the column 'measured' of rows.csv holds measured numbers"),
    ],
)
def test_columns_that_nobody_could_use_later_are_refused_now(
    command: Command, home: Path, is_planned: bool, key: str, value: str, what: str
) -> None:
    (home / "known").mkdir()
    rows = [f"k{n},{n / 7}" for n in range(300)]
    (home / "known/rows.csv").write_text("\n".join(["id,measured", *rows, ""]))
    plan = home / "solution/experimental_plan.yaml"
    content = json.loads(plan.read_text())
    content["external_path"]["load_train_data_path"] = "./known/"
    plan.write_text(json.dumps(content))
    words = [f"--{key}", value]
    if is_planned:
        say_in_plan(home, **{key: [value] if key == "slices" else value})
        words = []

    status, _, err = command("review", "new", "r", *ROW, *words)

    assert (status, what in err) == (1, True), err
    assert command("review", "list", "--json")[1] == "[]\n"


def test_the_rules_of_a_review_judge_the_models_of_its_data_sets_unless_retrain_is_told_otherwise(
    make_solution: Callable[..., Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = write_loop_project(make_solution)
    command = caller(home, capfd)
    say_in_plan(home, gate={"min_rows": 99, "max_loss": 0.2, "min_gain": 0.01})
    assert command("run", "--quiet")[0] == 0
    how = ("--key", "id", "--label", "kind", "--random", "100", "--labels", "good", "bad")
    rules = ("--gate", "min_rows=4", "--gate", "max_loss=0.3")
    assert command("review", "new", "r", *how, *rules)[0] == 0
    said = ["record,verdict,label"]
    for each in json.loads(command("review", "show", "r", "--json")[1])["items"]:
        n = int(each["record"].rpartition(":")[2])
        said.append(f"{each['record']},change,{'bad' if n >= 60 else 'good'}")
    (tmp_path / "d.csv").write_text("\n".join(said))
    command("review", "new", "other", *how)
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv"))[0] == 0
    assert command("dataset", "make", "d", "--review", "other", "r")[0] == 0

    reported = json.loads(command("retrain", "--dataset", "d", "--gate", "min_rows=5", "--json")[1])

    assert reported["gate"] == {
        "min_rows": 5, "max_loss": 0.3, "min_gain": 0.01, "slice_min_rows": 30,
        "slice_max_loss": 0.05,
    }  # fmt: skip
    manifest = Catalog(Workspace(home)).find_whole("d").manifest
    assert manifest.meaning.gate == {"min_rows": 4, "max_loss": 0.3}


def test_a_review_of_old_has_the_rules_of_the_plan() -> None:
    assert ReviewSettings.of({"label": "kind"}).gate == {}
