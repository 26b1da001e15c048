"""``alo deploy`` refuses what no service could use, and says what it waits for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.errors import HistoryError
from alo.history.deployment import Deployment, read_deployment
from alo.layout import Workspace

from ...serve.conftest import OUTPUT

MakeSolution = Callable[..., Path]
Alo = Callable[..., Any]
Run = Callable[..., Any]
TRAIN = "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['word']))"


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution({"train": TRAIN}, {"inference": OUTPUT}, args={"train": {"word": "none"}})


@pytest.fixture
def trained(home: Path, run: Run) -> dict[str, str]:
    """The id of a train run, by the word in its model."""
    return {"one": run(home, mode="train", overrides=("train.word=one",))[0].run_id}


@pytest.mark.parametrize("words", [["nonsense"], ["--shadow", "nonsense"]])
def test_a_run_that_is_not_there_is_not_deployed(
    home: Path, trained: dict[str, str], alo: Alo, words: list[str]
) -> None:
    done = alo("deploy", *words, cwd=home)

    assert done.returncode == 1
    assert re.search("no run begins with 'nonsense'", done.stderr)
    assert read_deployment(Workspace(home)) == Deployment()


@pytest.mark.parametrize("words", [["deploy"], ["deploy", "--shadow"]])
def test_only_the_models_of_a_train_run_that_succeeded_are_deployed(
    home: Path, run: Run, alo: Alo, words: list[str]
) -> None:
    run(home, mode="train", overrides=("train.word=one",))
    (inference,) = run(home, mode="inference")
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace(TRAIN, f"{TRAIN}\n        raise ValueError"))
    assert alo("run", "--mode", "train", cwd=home).returncode == 1
    (failed,) = (home / "history/train").glob("*-error")
    assert (failed / "models").is_dir()

    of_failed = alo(*words, failed.name.removesuffix("-error"), cwd=home)
    of_inference = alo(*words, inference.run_id, cwd=home)

    assert (of_failed.returncode, of_inference.returncode) == (1, 1)
    assert "did not succeed" in of_failed.stderr
    assert "is an inference run" in of_inference.stderr
    assert "alo history --mode train --status success" in of_failed.stderr
    assert read_deployment(Workspace(home)) == Deployment()


def test_waiting_says_when_no_service_runs(home: Path, trained: dict[str, str], alo: Alo) -> None:
    done = alo("deploy", trained["one"], "--wait", cwd=home)

    assert done.returncode == 3
    assert "no service" in done.stderr
    assert f"deployed  {trained['one']}" in done.stdout


def test_a_damaged_choice_says_what_to_do(home: Path, trained: dict[str, str], alo: Alo) -> None:
    (home / "solution/deployment.json").write_text("[")

    with pytest.raises(HistoryError, match="cannot be read"):
        read_deployment(Workspace(home))
    assert alo("deploy", trained["one"], cwd=home).returncode == 0
    assert read_deployment(Workspace(home)).run == trained["one"]
