"""What people do by commands is in the studio's audit, where the project has one."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.loop_project import LAX, review_results, write_loop_project

from alo.cli.main import main
from alo.database.audit import Audit, Change
from alo.database.opening import open_database
from alo.datasets.catalog import Catalog
from alo.history.deployment import change_deployment, read_deployment
from alo.history.promotions import promotions
from alo.layout import Workspace
from alo.review.reviews import Reviews
from alo.ui.access.people import People


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return write_loop_project(make_solution)


def alo(home: Path, *words: str) -> int:
    return main([*words, "--project", str(home)])


def changes(home: Path) -> list[Change]:
    """The oldest first."""
    database = open_database(Workspace(home))
    try:
        return list(Audit(database).changes())[::-1]
    finally:
        database.close()


def test_a_project_without_a_studio_has_no_audit_and_none_is_made(home: Path) -> None:
    assert alo(home, "run", "--quiet") == 0

    assert alo(home, "deploy") == 0

    assert not (home / "studio").exists()


def test_reviews_data_sets_and_deployments_are_in_it_with_who_made_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home)
    monkeypatch.setenv("ALO_PERSON", "eve")
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0  # the same: nothing is made
    assert alo(home, "deploy") == 0
    assert alo(home, "review", "close", "r") == 0
    assert alo(home, "dataset", "remove", "d@v1") == 0

    found = [(each.act, each.target) for each in changes(home)]

    run = read_deployment(Workspace(home)).run
    assert found == [
        ("review", "r"),
        ("make-dataset", "d@v1"),
        ("deploy", run),
        ("review", "r"),
        ("remove-dataset", "d@v1"),
    ]
    by = {each.act: each.by for each in changes(home)}
    assert by["make-dataset"] == "eve"  # who has asked for the first; the others have another


def test_a_candidate_that_the_gate_holds_is_deployed_with_a_reason_that_is_everywhere(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    review_results(home)
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0
    capfd.readouterr()
    assert alo(home, "retrain", "--dataset", "d", *LAX, "--set", "train.how=worst", "--json") == 3
    run = json.loads(capfd.readouterr().out)["run"]

    assert alo(home, "deploy", run) == 1
    assert "the gate holds the model" in capfd.readouterr().err
    assert read_deployment(Workspace(home)).run == ""
    for words in (["--force"], ["--reason", "x"], ["--rollback", "--force", "--reason", "x"]):
        assert alo(home, "deploy", *([] if "--rollback" in words else [run]), *words) == 2

    assert alo(home, "deploy", run, "--force", "--reason", "a demo") == 0

    assert read_deployment(Workspace(home)).run == run
    (line,) = promotions(Workspace(home))
    assert line.why == "forced: a demo"
    assert line.comparison is not None
    assert line.comparison["verdict"] == "held"
    last = changes(home)[-1]
    assert (last.act, last.target, last.after["reason"]) == ("deploy", run, "a demo")


def test_retrain_that_deploys_is_in_it(home: Path) -> None:
    review_results(home)
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0

    assert alo(home, "retrain", "--dataset", "d", *LAX, "--deploy", "--json") == 0

    last = changes(home)[-1]
    assert (last.act, last.target) == ("deploy", read_deployment(Workspace(home)).run)


def test_what_cannot_be_recorded_is_not_done(home: Path) -> None:
    review_results(home)
    (home / "studio/studio.sqlite").write_bytes(b"no database " * 1000)

    assert alo(home, "deploy") == 2

    assert read_deployment(Workspace(home)).run == ""


def cut(*_: object, **__: object) -> None:
    """The process is killed where the line of the audit would be written."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "words",
    [
        ("review", "new", "again", "--random", "5", "--key", "id", "--label", "kind"),
        ("review", "decide", "r", "--from", "said.csv"),
        ("review", "close", "r"),
        ("review", "remove", "r"),
        ("dataset", "make", "d", "--review", "r"),
        ("deploy",),
        ("deploy", "--shadow", "off"),
        ("deploy", "--rollback"),
        ("ui", "users", "add", "eve", "--password-stdin"),
        ("ui", "users", "password", "ada", "--password-stdin"),
        ("ui", "users", "disable", "ada"),
        ("ui", "tokens", "add", "ci", "--user", "ada"),
        ("ui", "tokens", "revoke", "of-ada"),
    ],
)
def test_something_changes_with_its_line_in_the_audit_or_not_at_all(
    home: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home, labelled=5)
    record = f"{next((home / 'history/inference').iterdir()).name}:99"
    (home / "said.csv").write_text(f"record,verdict,label\n{record},change,bad\n")
    monkeypatch.chdir(home)
    with_people_and_deployments(home)
    before = state_of(home)

    with monkeypatch.context() as killed:
        for module in (
            "database.audit", "loop.new_review", "loop.held_runs", "cli.actions.review",
            "ui.access.people",
        ):  # fmt: skip
            killed.setattr(f"alo.{module}.add_change", cut)
        typed(home, *words, monkeypatch=monkeypatch)
    assert state_of(home) == before

    assert typed(home, *words, monkeypatch=monkeypatch) == 0
    assert state_of(home) != before
    assert len(changes(home)) == len(before.audit) + 1


def with_people_and_deployments(home: Path) -> None:
    """Somebody with a token; a model with one before it, and one in the shadow."""
    database = open_database(Workspace(home))
    People(database).add("ada", "viewer", "long enough")
    People(database).add_token("of-ada", "viewer", "ada")
    database.close()
    run = next((home / "history/train").iterdir()).name
    change_deployment(
        Workspace(home),
        lambda now: now.choose("another", "ada", run)._replace(shadow=run),
    )


def typed(home: Path, *words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A command that is given a password."""
    monkeypatch.setattr("sys.stdin", io.StringIO("quite long enough\n"))
    return alo(home, *words)


class State(NamedTuple):
    """What can change in a project."""

    reviews: list[tuple[object, ...]]
    people: list[Sequence[object]]
    deployed: dict[str, object]
    datasets: list[str]
    audit: list[Change]


def state_of(home: Path) -> State:
    database = open_database(Workspace(home))
    try:
        reviews = [
            (each.name, each.state, Reviews(database).decided(each))
            for each in Reviews(database).all()
        ]
        people = database.read("SELECT name, password, is_disabled FROM people ORDER BY name")
        tokens = database.read("SELECT name, hash FROM tokens ORDER BY name")
        deployed = read_deployment(Workspace(home)).in_short()
        datasets = list(Catalog(Workspace(home)).references())
        audit = list(Audit(database).changes())
        return State(reviews, [*people, *tokens], deployed, datasets, audit)
    finally:
        database.close()


@pytest.mark.parametrize("words", [("dataset", "make", "d", "--review", "r"), ("deploy",)])
def test_the_line_of_what_a_rename_makes_is_there_before_it(
    home: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home)

    real = os.replace

    def renamed(source: Path, target: Path | str) -> None:
        if Path(target).name not in ("deployment.json", "v1"):
            return real(source, target)
        assert len(changes(home)) == len(before.audit) + 1
        raise KeyboardInterrupt

    before = state_of(home)
    with monkeypatch.context() as killed:
        killed.setattr("pathlib.Path.rename", renamed)
        killed.setattr("os.replace", renamed)
        alo(home, *words)

    after = state_of(home)
    assert (after.deployed, after.datasets) == (before.deployed, before.datasets)
    assert after.audit[0].act == {"dataset": "make-dataset"}.get(words[0], "deploy")


def test_the_log_of_models_has_the_reason_of_a_deployment_that_was_killed_before_its_line(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home)
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0
    capfd.readouterr()
    assert alo(home, "retrain", "--dataset", "d", *LAX, "--set", "train.how=worst", "--json") == 3
    run = json.loads(capfd.readouterr().out)["run"]
    with monkeypatch.context() as killed:
        killed.setattr("alo.history.promotions.append_line", cut)
        alo(home, "deploy", run, "--force", "--reason", "a demo")
    killed_at = promotions(Workspace(home))

    assert alo(home, "deploy") == 0

    found = promotions(Workspace(home))
    assert found[:1] == killed_at
    assert [each.why for each in found] == ["forced: a demo", "deploy"]
    assert found[0].comparison is not None
    assert found[0].comparison["verdict"] == "held"
    lines = (home / "solution/promotions.jsonl").read_text().splitlines()
    assert len(lines) == len(found)


def test_the_line_of_a_data_set_is_there_before_its_files_go(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home)
    assert alo(home, "dataset", "make", "d", "--review", "r") == 0

    with monkeypatch.context() as killed:
        killed.setattr("alo.cli.actions.dataset.remove_version", cut)
        alo(home, "dataset", "remove", "d@v1")

    assert changes(home)[-1].act == "remove-dataset"
    assert (home / "datasets/d/v1").is_dir()
