"""The model of a service is the one it began with: no train run, asset or worker changes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.engine.request import RunRequest
from alo.errors import CheckError, ServeError
from alo.events.types import Event
from alo.history.deployment import FAILED, change_deployment
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN
from alo.layout import Workspace
from alo.serve import service
from alo.serve.folders import ServiceFolder, make_folder
from alo.serve.service import chosen_model, has_files, prepare

from .conftest import OUTPUT, Edge, RunningLoop

MakeSolution = Callable[..., Path]
StartLoop = Callable[..., RunningLoop]
Run = Callable[..., Any]

LARGE = 17_000_000  # bytes; files of this size used to be shared
TRAIN = f"""
with open(Path(self.asset.get_model_path(), "m"), "w") as file:
    file.write(str(self.args["word"]).ljust({LARGE}))
"""
USE = f"""
path = Path(self.asset.get_model_path(), "m")
with open(path) as file:
    self.data["result"] = file.read(20).strip()
if self.args.get("spoil"):
    path.chmod(0o644)
    with open(path, "r+") as file:
        file.write("spoilt".ljust(20))
{OUTPUT}
"""


def trained(home: Path, kind: str) -> list[Path]:
    """The model's file in the project, and in history."""
    return [home / "train_artifacts/models/train/m", *home.glob(f"history/{kind}/*/models/train/m")]


def result(edge: Edge, **args: object) -> str:
    summary, _ = edge.ask(args={"inference": args})
    assert summary["status"] == "success", summary
    found: str = summary["message"]["result"]
    return found


@pytest.mark.parametrize("keeps_history", [True, False])
def test_a_worker_that_is_started_again_has_the_same_model(
    keeps_history: bool, make_solution: MakeSolution, run: Run, loop: StartLoop, edge: Edge
) -> None:
    control = {"backup_artifacts": keeps_history}
    args = {"train": {"word": "one"}}
    home = make_solution({"train": TRAIN}, {"inference": USE}, args=args, control=control)
    run(home, mode="train")
    running = loop(home)
    assert result(edge) == "one"
    run(home, mode="train", overrides=("train.word=two",))

    (worker,) = running.workers()
    os.kill(worker, signal.SIGKILL)

    assert result(edge) == "one"
    assert running.workers() != [worker]


def test_an_asset_that_writes_into_the_model_changes_neither_project_nor_history(
    make_solution: MakeSolution, run: Run, loop: StartLoop, edge: Edge
) -> None:
    args = {"train": {"word": "one"}}
    home = make_solution({"train": TRAIN}, {"inference": USE}, args=args)
    run(home, mode="train")
    loop(home, "--workers", "2")

    for _ in range(4):
        result(edge, spoil=True)

    files = trained(home, "train")
    assert len(files) == 2
    for path in files:
        with open(path) as file:
            assert file.read(20).strip() == "one"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / "project")
    (found.home / "solution").mkdir(parents=True)
    return found


@pytest.fixture
def folder(workspace: Workspace) -> Iterator[ServiceFolder]:
    made = make_folder(workspace, "serve")
    yield made
    made.remove()


def test_without_a_choice_the_models_of_the_project_are_copied(
    workspace: Workspace, folder: ServiceFolder
) -> None:
    workspace.models.mkdir(parents=True)
    (workspace.models / "m").write_text("as it was")

    models, run_id = chosen_model(workspace, folder)
    (workspace.models / "m").write_text("trained meanwhile")

    assert run_id == NO_TRAIN_RUN
    assert (models / "m").read_text() == "as it was"
    assert has_files(models)


def test_a_service_may_have_no_model_unless_it_had_one(
    workspace: Workspace, folder: ServiceFolder
) -> None:
    models, _ = chosen_model(workspace, folder)
    assert not has_files(models)

    with pytest.raises(ServeError, match="the model is gone"):
        chosen_model(workspace, folder, must_be_some=True)


def test_a_model_that_has_failed_with_nothing_before_it_is_refused_with_the_reason(
    workspace: Workspace, folder: ServiceFolder
) -> None:
    change_deployment(workspace, lambda now: now.choose("bad", "me", "worse"))
    change_deployment(workspace, lambda now: now.checked("bad", FAILED, "x"))
    change_deployment(workspace, lambda now: now.checked("worse", FAILED, "of no use"))

    with pytest.raises(ServeError, match="run worse has failed its check: of no use"):
        chosen_model(workspace, folder)


def test_a_model_that_cannot_be_copied_is_reported_with_the_place(
    workspace: Workspace, folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(models: Path) -> Path:
        raise OSError("no room")

    monkeypatch.setattr(folder, "pin", full)

    with pytest.raises(ServeError, match="cannot be copied: no room") as raised:
        chosen_model(workspace, folder)
    assert raised.value.where == str(folder.path)


USELESS = {"inference": "self.asset.save_summary('x', 0.5)"}


def test_a_model_that_is_loaded_from_elsewhere_is_fetched_once_for_all_requests(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/m").write_text("loaded")
    home = make_solution(inference=USELESS, external={"load_model_path": f"{tmp_path}/elsewhere/"})

    prepared = prepare(RunRequest(home), "serve", lambda event: None)

    assert prepared.model_id == EXTERNAL_MODEL
    assert [path.read_text() for path in prepared.models.rglob("m")] == ["loaded"]
    prepared.folder.remove()


def test_a_model_of_a_place_that_makes_no_sense_is_a_problem_of_the_plan_and_leaves_nothing(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(inference=USELESS, external={"load_model_path": "nowhere/"})

    with pytest.raises(CheckError, match="load_model_path"):
        prepare(RunRequest(home), "serve", lambda event: None)

    assert list((home / ".alo/serve").iterdir()) == []


def test_a_model_that_cannot_be_fetched_is_reported_and_leaves_nothing(
    make_solution: MakeSolution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/m").touch()
    home = make_solution(inference=USELESS, external={"load_model_path": f"{tmp_path}/elsewhere/"})

    def full(*given: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr("alo.data.models.fetch_models", full)

    with pytest.raises(ServeError, match="the model cannot be loaded: no room"):
        prepare(RunRequest(home), "serve", lambda event: None)

    assert list((home / ".alo/serve").iterdir()) == []


def test_a_server_in_front_of_loops_needs_no_model_and_copies_none(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(inference=USELESS)

    prepared = prepare(RunRequest(home), "serve", lambda event: None, has_workers=False)

    assert (prepared.models, prepared.model_id) == (Workspace(home).models, NO_TRAIN_RUN)
    assert list(prepared.folder.path.iterdir()) == []
    prepared.folder.remove()


def test_a_service_of_an_earlier_alo_in_the_project_is_warned_of(
    make_solution: MakeSolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_solution(inference=USELESS)
    monkeypatch.setattr(service, "earlier_services", lambda workspace: [4711])
    events: list[Event] = []

    prepare(RunRequest(home), "serve", events.append, has_workers=False).folder.remove()

    assert "an earlier ALO runs in this project (process 4711)" in str(events)
