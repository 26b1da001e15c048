"""`alo sweep` that asks for what cannot be."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.swept_project import Command, shown, write_swept_project


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path) -> Path:
    return write_swept_project(make_solution, tmp_path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--computing", "moon"], "no such executor"),
        (["--computing", "no.such:Class"], "No module named"),
        (["--computing", "ray://127.0.0.1:1"], "no Ray cluster answers"),
        (["--transfer", "s3://bucket/prefix"], "moves nothing through a bucket"),
        (["--keep", "worst:3"], "not best:K, all or none"),
        (["--seed-arg", "train.seed"], "--seed-arg is for --repeats"),
        (["--trials", "0"], "--trials"),
        (["--system", '{"pipeline": [{"type": "train", "parameters": {"x": 1'], "--system"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    command: Command, home: Path, words: list[str], said: str
) -> None:
    status, _, err = command("sweep", "s", "--param", "train.x=1..2", *words)
    assert status == 2
    assert said in err
    assert not (home / "history/train").exists()
    assert not list(home.glob("history/sweeps/*"))  # its name is free


def test_whatever_is_wrong_is_told_at_once(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    words = [
        "--keep",
        "worst:3",
        "--computing",
        "moon",
        "--sampler",
        "tpe",
        "--storage",
        "sqlite://",
    ]
    status, _, err = command(
        "sweep", "s", "--param", "tran.x=1..2", "--param", "train.x=2..1", *words
    )
    assert (status, err.startswith("error: 6 problems")) == (2, True)
    for said in ("tran", "2..1", "worst:3", "moon", "needs Optuna", "PostgreSQL"):
        assert said in err


def test_a_name_that_is_taken_is_told_with_the_rest(command: Command) -> None:
    assert command("sweep", "s", "--param", "train.x=1..2")[0] == 0
    status, _, err = command("sweep", "s", "--param", "train.x=1..3", "--computing", "moon")
    assert (status, err.startswith("error: 2 problems")) == (2, True)


def test_a_name_that_another_sweep_has_is_refused_and_the_same_goes_on(command: Command) -> None:
    assert command("sweep", "s", "--param", "train.x=1..2")[0] == 0
    status, _, err = command("sweep", "s", "--param", "train.x=1..3")
    assert status == 2
    assert "params train.x" in err
    assert command("sweep", "s", "--param", "train.x=1..2")[0] == 0
    assert len(shown(command, "s")["trials"]) == 2


def test_a_resume_that_is_refused_changes_nothing(command: Command) -> None:
    assert (
        command("sweep", "s", "--param", "train.x=1..9", "--trials", "2", "--sampler", "random")[0]
        == 0
    )
    assert command("sweep", "resume", "s", "--trials", "4", "--computing", "moon")[0] == 2
    status, out, _ = command("sweep", "show", "s")
    assert (status, "trials to go" in out) == (0, False)


def test_names_are_plain(command: Command) -> None:
    status, _, err = command("sweep", "../up", "--param", "train.x=1..2")
    assert (status, "sweep" in err) == (2, True)
