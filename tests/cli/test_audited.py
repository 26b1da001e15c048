"""What people do by commands is in the studio's audit, where the project has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.loop_project import LAX, review_results, write_loop_project

from alo.cli.main import main
from alo.database.audit import Audit, Change
from alo.database.opening import open_database
from alo.history.deployment import read_deployment
from alo.history.promotions import promotions
from alo.layout import Workspace
from alo.review.reviews import Reviews


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
    ],
)
def test_a_review_changes_with_its_line_in_the_audit_or_not_at_all(
    home: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    review_results(home, labelled=5)
    record = f"{next((home / 'history/inference').iterdir()).name}:99"
    (home / "said.csv").write_text(f"record,verdict,label\n{record},change,bad\n")
    monkeypatch.chdir(home)
    before = state_of(home)

    with monkeypatch.context() as killed:
        for module in ("loop.new_review", "loop.held_runs", "cli.actions.review"):
            killed.setattr(f"alo.{module}.add_change", cut)
        alo(home, *words)
    assert state_of(home) == before

    assert alo(home, *words) == 0
    assert state_of(home) != before
    assert len(changes(home)) == len(before[1]) + 1


def state_of(home: Path) -> tuple[list[tuple[object, ...]], list[Change]]:
    """The reviews with what was said, and the audit."""
    database = open_database(Workspace(home))
    try:
        found = [
            (each.name, each.state, Reviews(database).decided(each))
            for each in Reviews(database).all()
        ]
        return found, list(Audit(database).changes())
    finally:
        database.close()


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
