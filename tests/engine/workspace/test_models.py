"""Models that a failed inference has spoilt are those of the train run again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.workspace import models
from alo.engine.workspace.models import mend_models, restore_models
from alo.errors import StepError
from alo.events.types import Event, LogLine
from alo.files import temporary_beside
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id
from alo.layout import Workspace

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
GOOD = "Path(self.asset.get_model_path(), 'model').write_text(f\"model {self.args['n']}\")"


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


@pytest.fixture
def trained(make_solution: MakeSolution, run: Run) -> Path:
    """A solution that has made ``model 1``, and whose next run would make ``model 2``."""
    home = make_solution({"train": GOOD}, args={"train": {"n": 1}})
    run(home)
    return home


@pytest.mark.parametrize(
    "spoil",
    [
        "Path(self.asset.project_home, 'train_artifacts/models/train/model').write_text('bad')",
        "import shutil; shutil.rmtree(self.asset.project_home + 'train_artifacts')",
    ],
)
def test_a_failed_inference_that_has_spoilt_the_model_gets_it_restored(
    spoil: str, trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": GOOD}, {"use": f"{spoil}\n1 / 0"}, args={"train": {"n": 1}})

    with pytest.raises(StepError):
        run(trained, "inference")

    assert model(trained) == "model 1"


def test_where_times_are_whole_seconds_a_model_that_was_spoilt_within_one_is_found(
    make_solution: MakeSolution, run: Run
) -> None:
    write = "path = Path(self.asset.get_model_path(), 'model'); path.write_text('{}')\n"
    tick = "import os; os.utime(path, (1_700_000_000, 1_700_000_000))"
    home = make_solution(
        {"train": write.format("good") + tick},
        {"inference": write.format("bad!") + tick + "\n1 / 0"},
    )

    with pytest.raises(StepError):
        run(home)

    assert model(home) == "good"


@pytest.fixture
def workspace(trained: Path) -> Workspace:
    return Workspace(trained)


@pytest.fixture
def train_id(workspace: Workspace) -> str:
    return current_train_id(workspace)


def test_models_that_are_as_they_were_are_left_alone(workspace: Workspace, train_id: str) -> None:
    before = (workspace.models / "train/model").stat().st_ino

    assert not restore_models(workspace, train_id)

    assert (workspace.models / "train/model").stat().st_ino == before


@pytest.mark.parametrize("damage", ["changed", "added to", "gone"])
def test_whatever_was_done_to_them_they_are_back_as_the_runs_own(
    workspace: Workspace, train_id: str, damage: str
) -> None:
    if damage == "changed":
        (workspace.models / "train/model").write_text("spoilt")
    elif damage == "added to":
        (workspace.models / "more").touch()
    else:
        shutil.rmtree(workspace.models)

    assert restore_models(workspace, train_id)

    assert model(workspace.home) == "model 1"
    assert os.listdir(workspace.models) == ["train"]
    assert current_train_id(workspace) == train_id
    assert not restore_models(workspace, train_id)
    beside = {path.name for path in workspace.models.parent.iterdir()}
    assert not {name for name in beside if name.startswith(".")}


@pytest.mark.parametrize("other", ["", NO_TRAIN_RUN, EXTERNAL_MODEL, "not in history"])
def test_models_of_no_run_in_history_stay_as_they_are(workspace: Workspace, other: str) -> None:
    (workspace.models / "train/model").write_text("by hand")

    assert not restore_models(workspace, other)

    assert model(workspace.home) == "by hand"


def test_what_an_earlier_restoration_left_half_done_goes(
    workspace: Workspace, train_id: str
) -> None:
    half = temporary_beside(workspace.models)
    half.mkdir()
    theirs = workspace.models.parent / ".models.of the user"
    theirs.mkdir()
    (workspace.models / "train/model").write_text("spoilt")

    restore_models(workspace, train_id)

    assert not half.exists()
    assert theirs.exists()


def test_of_a_mending_is_reported_what_came_of_it(
    workspace: Workspace, train_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Event] = []
    mend_models(workspace, train_id, reported.append)
    assert reported == []
    (workspace.models / "train/model").write_text("spoilt")
    mend_models(workspace, train_id, reported.append)

    def fail(_: Path, target: Path) -> None:
        target.mkdir()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (workspace.models / "train/model").write_text("spoilt again")
    monkeypatch.setattr(models, "copy_tree", fail)
    mend_models(workspace, train_id, reported.append)

    texts = [event.text for event in reported if isinstance(event, LogLine)]
    assert texts[0] == "the failed run had changed the models: they are restored"
    assert "cannot be restored: No space left on device" in texts[1]
    assert train_id in texts[1]
    assert len(texts) == 2
    names = {path.name for path in workspace.models.parent.iterdir()}
    assert not {name for name in names if name.startswith(".")}  # half a copy helps no one
