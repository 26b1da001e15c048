"""After a run history and the step store are within bounds, and what is in use stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.layout import Workspace
from alo.store.results import ResultDir

from ...serve.conftest import OUTPUT

MakeSolution = Callable[..., Path]
Run = Callable[..., Any]
MODEL = "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['n']))"


def runs_of(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "history/train").iterdir())


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    """A project whose history has room for one run."""
    return make_solution(
        {"train": MODEL},
        {"inference": OUTPUT},
        args={"train": {"n": 0}},
        control={"backup_size": 0, "interface_mode": "file"},
    )


def test_the_runs_before_go_with_what_their_steps_have_stored(home: Path, run: Run) -> None:
    run(home, "train")
    (second,) = run(home, "train", overrides=("train.n=1",))

    assert runs_of(home) == [second.run_id]
    stored = ResultDir(Workspace(home).interface)
    assert stored.runs("train") == [second.run_id]
    assert not [
        path for path in home.glob(".asset_interface/train/*") if second.run_id != path.name
    ]


def test_what_is_deployed_and_what_made_the_current_model_stay(home: Path, run: Run) -> None:
    (deployed,) = run(home, "train")
    (home / "solution/deployment.json").write_text(
        json.dumps({"run": deployed.run_id, "previous": "", "shadow": ""})
    )

    (current,) = run(home, "train", overrides=("train.n=1",))
    (inference,) = run(home, "inference")

    assert runs_of(home) == sorted([deployed.run_id, current.run_id])
    assert inference.history.is_dir()


def test_what_was_stored_of_a_run_that_a_user_has_deleted_goes_too(home: Path, run: Run) -> None:
    (first,) = run(home, "train")
    shutil.rmtree(first.history)

    (second,) = run(home, "train", overrides=("train.n=1",))

    assert ResultDir(Workspace(home).interface).runs("train") == [second.run_id]
