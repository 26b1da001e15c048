"""A project of an earlier version, with its history and its ``.alo/``, goes on where it was.

``project_of_0_1_0.tar.gz`` was made by 0.1.0: ``alo init``, then ``alo run``.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.history.browse import History
from alo.history.models_origin import current_train_id
from alo.layout import Workspace

MADE = Path(__file__).with_name("project_of_0_1_0.tar.gz")
Alo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    # Python's own tarfile would round the times of files, by which a model is known.
    subprocess.run(["tar", "-xzf", str(MADE), "-C", str(tmp_path)], check=True)
    return tmp_path


@pytest.fixture
def ids(home: Path) -> dict[str, str]:
    """Its runs, by pipeline."""
    return {each.pipeline: each.id for each in History(Workspace(home)).list()}


def reported(alo: Alo, home: Path, *words: str) -> Any:
    done = alo(*words, cwd=home)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_runs_are_listed_shown_and_whole(home: Path, ids: dict[str, str], alo: Alo) -> None:
    listed = json.loads(reported(alo, home, "history", "--json"))
    shown = json.loads(reported(alo, home, "history", "show", ids["train"], "--json"))

    assert {each["id"] for each in listed} == set(ids.values())
    assert {each["status"] for each in listed} == {"success"}
    assert shown["result"] == "accuracy 0.96"
    assert "2 runs verified, none damaged" in reported(alo, home, "history", "verify")


def test_its_run_is_repeated_to_the_same_ids(home: Path, ids: dict[str, str], alo: Alo) -> None:
    reported(alo, home, "history", "rerun", ids["train"])

    again, before = (
        json.loads(reported(alo, home, "history", "show", each, "--json"))
        for each in (current_train_id(Workspace(home)), ids["train"])
    )
    assert again["id"] != before["id"]
    assert [again[name] for name in ("param_id", "code_id", "data_id")] == [
        before[name] for name in ("param_id", "code_id", "data_id")
    ]


def test_its_model_is_deployed_and_used(home: Path, ids: dict[str, str], alo: Alo) -> None:
    assert current_train_id(Workspace(home)) == ids["train"]

    assert ids["train"] in reported(alo, home, "deploy", ids["train"])
    reported(alo, home, "run", "--mode", "inference")
    newest = History(Workspace(home)).list()[0]
    assert (newest.pipeline, newest.train_id) == ("inference", ids["train"])
