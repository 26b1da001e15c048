"""A run begins with empty artifacts, and what was there comes back unless it succeeds."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from alo import files
from alo.claims import holder_of, locked_folder, ours
from alo.engine.workspace.unfinished import UnfinishedRun, begin, find, has_artifacts_of
from alo.errors import RunError
from alo.files import claim_temporary
from alo.layout import TRASH_PREFIX, Workspace

from .conftest import write

TRAIN = {"id": "run-2", "pipeline": "train"}
INFERENCE = {"id": "run-2", "pipeline": "inference"}


def work(run: UnfinishedRun) -> None:
    """What a run writes until it fails."""
    live = run.workspace.artifacts(run.kind)
    write(live / "log/pipeline.log", "of the failed run")
    write(live / "log/process.log", "of the failed run")
    write(live / "models/train/model", "bad")
    write(live / "output/output.csv", "bad")


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_logs(folder: Path) -> dict[str, str]:
    return {name: text for name, text in contents(folder).items() if not name.endswith(".log")}


def leftovers(workspace: Workspace) -> list[str]:
    names = [path.name for path in workspace.home.rglob("*")]
    return [name for name in names if name.startswith((TRASH_PREFIX, ".unfinished"))]


def test_a_run_begins_with_empty_artifacts_and_a_journal(workspace: Workspace) -> None:
    run = begin(workspace, {**TRAIN, "record": {"a": 1}})

    assert contents(workspace.artifacts("train")) == {}
    assert (workspace.artifacts("train") / "log").is_dir()
    assert (run.run_id, run.kind) == ("run-2", "train")
    assert has_artifacts_of(run)
    assert contents(run.replaced_artifacts)["models/train/model"] == "good"
    journal = json.loads(workspace.journal.read_bytes())
    assert journal["id"] == "run-2"
    assert journal["record"] == {"a": 1}


@pytest.mark.parametrize("end", ["put_back", "discard"])
def test_a_run_is_claimed_until_it_has_ended(end: str, workspace: Workspace) -> None:
    run = begin(workspace, TRAIN)
    claim = ours(workspace.run_lock)
    assert claim is not None
    (descriptor,) = claim.descriptors
    holder = holder_of(workspace.run_lock)

    getattr(run, end)()

    assert holder is not None
    assert holder.what == "run-2"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_the_other_pipelines_artifacts_are_left_alone(workspace: Workspace) -> None:
    before = contents(workspace.artifacts("train"))

    work(begin(workspace, INFERENCE))

    assert contents(workspace.artifacts("train")) == before


def test_a_run_that_succeeds_drops_what_was_there(workspace: Workspace) -> None:
    run = begin(workspace, TRAIN)
    work(run)

    run.discard()

    assert without_logs(workspace.artifacts("train"))["models/train/model"] == "bad"
    assert leftovers(workspace) == []
    assert find(workspace) is None


def test_a_run_that_fails_puts_the_good_artifacts_back_and_leaves_its_log(
    workspace: Workspace,
) -> None:
    run = begin(workspace, TRAIN)
    work(run)

    run.put_back()

    assert contents(workspace.artifacts("train")) == {
        "log/pipeline.log": "of the failed run",
        "log/process.log": "of the failed run",
        "models/train/model": "good",
    }
    assert leftovers(workspace) == []
    assert find(workspace) is None


def test_what_belongs_with_the_artifacts_is_put_in_order_while_the_run_is_still_unfinished(
    workspace: Workspace,
) -> None:
    run = begin(workspace, TRAIN)
    work(run)
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        model = workspace.models / "train/model"
        seen.append((model.read_text(), workspace.unfinished.is_dir()))

    run.put_back(look)

    assert seen == [("good", True)]
    assert not workspace.unfinished.exists()


def test_the_first_run_of_all_leaves_only_its_log_when_it_fails(tmp_path: Path) -> None:
    run = begin(Workspace(tmp_path), TRAIN)
    work(run)

    run.put_back()

    assert set(contents(tmp_path / "train_artifacts")) == {"log/pipeline.log", "log/process.log"}


@pytest.mark.parametrize("borrowed", [True, False])
def test_models_that_a_run_has_brought_go_when_it_fails(
    borrowed: bool, workspace: Workspace
) -> None:
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=borrowed)
    write(workspace.models / "train/model", "another")

    run.put_back()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


@pytest.mark.parametrize(("borrowed", "stands"), [(True, "good"), (False, "another")])
def test_models_stay_when_it_succeeds_unless_they_are_borrowed(
    borrowed: bool, stands: str, workspace: Workspace
) -> None:
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=borrowed)
    write(workspace.models / "train/model", "another")

    run.discard()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": stands}


def test_where_there_were_no_models_there_are_none_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=True)
    write(workspace.models / "train/model", "borrowed")

    run.discard()

    assert contents(workspace.models) == {}


def test_what_is_found_after_a_kill_is_the_run_as_it_was_noted(workspace: Workspace) -> None:
    begin(workspace, {**TRAIN, "record": {"start_time": "then"}})

    left = find(workspace)

    assert left is not None
    assert (left.run_id, left.kind) == ("run-2", "train")
    assert left.info["record"] == {"start_time": "then"}


def test_waste_of_killed_runs_is_swept(workspace: Workspace) -> None:
    for _ in range(3):
        write(workspace.trash() / "models/big", "x")

    assert find(workspace) is None
    assert leftovers(workspace) == []


def test_what_killed_runs_left_in_the_internals_is_swept(workspace: Workspace) -> None:
    workspace.internal.mkdir()
    write(workspace.scratch() / "big", "x")
    _, half = claim_temporary(workspace.plan_nodes)
    half.close()
    write(workspace.internal / "other", "x")

    assert find(workspace) is None

    assert os.listdir(workspace.internal) == ["other"]


def test_waste_that_cannot_be_deleted_fails_no_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    run = begin(workspace, TRAIN)
    work(run)
    monkeypatch.setattr(files, "remove_tree", refuse)

    run.discard()

    assert find(workspace) is None
    assert without_logs(workspace.artifacts("train"))["models/train/model"] == "bad"


def test_internals_may_be_deleted_while_a_run_continues(workspace: Workspace) -> None:
    workspace.internal.mkdir()
    run = begin(workspace, TRAIN)
    work(run)
    shutil.rmtree(workspace.internal)

    run.put_back()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


def test_artifacts_that_a_client_has_deleted_meanwhile_are_no_trouble(
    workspace: Workspace,
) -> None:
    run = begin(workspace, TRAIN)
    shutil.rmtree(workspace.artifacts("train"))

    run.put_back()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


def test_models_come_back_where_a_client_has_deleted_the_artifacts_that_they_were_in(
    workspace: Workspace,
) -> None:
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=True)
    shutil.rmtree(workspace.artifacts("train"))

    run.put_back()

    assert contents(workspace.models) == {"train/model": "good"}


def test_artifacts_come_back_where_the_folder_for_what_a_run_made_is_gone(
    workspace: Workspace,
) -> None:
    run = begin(workspace, TRAIN)
    work(run)
    (workspace.unfinished / "dropped").rmdir()

    run.put_back()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


def test_a_disk_that_is_full_does_not_keep_the_artifacts_away(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(workspace, TRAIN)
    work(run)

    def full(path: Path, *args: object, **options: object) -> None:
        if not path.is_dir():
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", full)
        run.put_back()

    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


def test_artifacts_that_are_a_link_are_put_back_as_one(workspace: Workspace) -> None:
    os.rename(workspace.artifacts("train"), workspace.home / "disk")
    workspace.artifacts("train").symlink_to("disk")
    run = begin(workspace, TRAIN)
    work(run)

    run.put_back()

    assert os.readlink(workspace.artifacts("train")) == "disk"
    assert without_logs(workspace.artifacts("train")) == {"models/train/model": "good"}


def test_artifacts_that_cannot_be_moved_are_reported_and_stay(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(workspace.artifacts("train"))

    def busy(source: object, target: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy", str(source))

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", busy)
        with pytest.raises(RunError, match="resource busy") as caught:
            begin(workspace, TRAIN)
    left = find(workspace)
    assert left is not None
    left.put_back()

    assert caught.value.where == str(workspace.artifacts("train"))
    assert "mount point" in caught.value.fix
    assert contents(workspace.artifacts("train")) == before


@pytest.mark.parametrize("there", [[], ["previous"], ["previous", "dropped"], ["code"]])
def test_a_run_killed_before_it_was_noted_had_moved_nothing(
    there: list[str], workspace: Workspace
) -> None:
    before = contents(workspace.artifacts("train"))
    workspace.unfinished.mkdir()
    for name in there:
        (workspace.unfinished / name).mkdir()

    assert find(workspace) is None
    assert contents(workspace.artifacts("train")) == before
    assert leftovers(workspace) == []


def test_the_code_of_a_killed_rerun_is_removed_and_that_of_a_living_one_stays(
    workspace: Workspace,
) -> None:
    workspace.internal.mkdir()
    killed, descriptor = locked_folder(workspace.past_code)
    write(killed / "assets/train/asset_train.py", "")
    os.close(descriptor)
    living, descriptor = locked_folder(workspace.past_code)

    find(workspace)

    os.close(descriptor)
    assert [each.is_dir() for each in (killed, living)] == [False, True]
