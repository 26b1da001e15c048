from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from alo import files
from alo.claims import holder_of, locked_folder, ours
from alo.engine.workspace.unfinished import UnfinishedRun, begin, find, has_artifacts_of
from alo.errors import RunError
from alo.files import claim_temporary
from alo.layout import TRASH_PREFIX, Workspace

TRAIN = {"id": "run-2", "pipeline": "train"}
INFERENCE = {"id": "run-2", "pipeline": "inference"}


class Killed(BaseException):
    """Stands for a kill: nothing after it is done."""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One in which a train and an inference run have been made."""
    workspace = Workspace(tmp_path)
    for name in ("train_artifacts/models/train/model", "train_artifacts/log/pipeline.log"):
        write(tmp_path / name, "good")
    for name in ("inference_artifacts/output/output.csv", "inference_artifacts/log/process.log"):
        write(tmp_path / name, "good")
    return workspace


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


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


# A kill at each point: every change to the disk is counted, and one of them is the last.

CHANGES = ("mkdir", "rename", "replace", "unlink", "rmdir")


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """The change to the disk of this number, and all after it, are not made."""
    changes = itertools.count()

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def change_or_die(*args: Any, **options: Any) -> Any:
            if next(changes) >= number:
                raise Killed
            return change(*args, **options)

        return change_or_die

    with pytest.MonkeyPatch.context() as patched, suppress(Killed):
        for name in CHANGES:
            patched.setattr(os, name, dying(getattr(os, name)))
        yield


def whole_failure(workspace: Workspace) -> None:
    run = begin(workspace, TRAIN)
    work(run)
    run.put_back()


def failure_with_models(workspace: Workspace) -> None:
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=False)
    work(run)
    run.put_back()


def borrowed_success(workspace: Workspace) -> None:
    run = begin(workspace, INFERENCE)
    run.replace_models(borrowed=True)
    workspace.models.mkdir()
    run.discard()


@pytest.mark.parametrize("number", range(45))
@pytest.mark.parametrize("action", [whole_failure, failure_with_models])
def test_wherever_a_failing_run_is_killed_the_good_artifacts_come_back(
    action: Callable[[Workspace], None], number: int, workspace: Workspace
) -> None:
    before = {kind: without_logs(workspace.artifacts(kind)) for kind in ("train", "inference")}

    with killed_at(number):
        action(workspace)
    if left := find(workspace):
        left.put_back()

    assert {kind: without_logs(workspace.artifacts(kind)) for kind in before} == before
    assert find(workspace) is None
    assert leftovers(workspace) == []


@pytest.mark.parametrize("second", range(12))
def test_putting_back_may_itself_be_killed_again_and_again(
    second: int, workspace: Workspace
) -> None:
    before = without_logs(workspace.artifacts("train"))
    work(begin(workspace, TRAIN))

    for number in (second, second // 2, second // 3):
        with killed_at(number):
            if left := find(workspace):
                left.put_back()
    if left := find(workspace):
        left.put_back()

    assert without_logs(workspace.artifacts("train")) == before
    assert contents(workspace.artifacts("train"))["log/process.log"] == "of the failed run"
    assert leftovers(workspace) == []


@pytest.mark.parametrize("number", range(30))
def test_borrowed_models_go_back_wherever_the_end_of_a_good_run_is_killed(
    number: int, workspace: Workspace
) -> None:
    before = without_logs(workspace.artifacts("train"))

    with killed_at(number):
        borrowed_success(workspace)
    if left := find(workspace):
        left.discard()

    assert without_logs(workspace.artifacts("train")) == before
    assert leftovers(workspace) == []


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


def test_artifacts_that_cannot_be_moved_are_told_and_stay(
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


DAMAGED = (
    None,
    "",
    "{",
    "[]",
    "{}",
    '{"id": 1}',
    '{"id": "", "pipeline": "train"}',
    '{"id": "a", "pipeline": "../x"}',
    '{"id": "a", "pipeline": []}',
    "\x00" * 40,
)


def damage(workspace: Workspace, journal: str | None) -> None:
    if journal is None:
        workspace.journal.unlink()
    else:
        workspace.journal.write_text(journal)


@pytest.mark.parametrize("journal", DAMAGED)
@pytest.mark.parametrize("info", [TRAIN, INFERENCE], ids=["train", "inference"])
def test_where_the_journal_is_damaged_everything_goes_back(
    info: dict[str, str], journal: str | None, workspace: Workspace
) -> None:
    before = {kind: without_logs(workspace.artifacts(kind)) for kind in ("train", "inference")}
    run = begin(workspace, info)
    if info is INFERENCE:
        run.replace_models(borrowed=False)
    work(run)
    damage(workspace, journal)

    assert find(workspace) is None

    assert {kind: without_logs(workspace.artifacts(kind)) for kind in before} == before
    assert (run.workspace.artifacts(run.kind) / "log/process.log").read_text() == (
        "of the failed run"
    )
    assert leftovers(workspace) == []


@pytest.mark.parametrize("second", range(12))
def test_putting_back_without_a_journal_may_be_killed_too(
    second: int, workspace: Workspace
) -> None:
    before = without_logs(workspace.artifacts("train"))
    work(begin(workspace, TRAIN))
    damage(workspace, "{")

    with killed_at(second):
        find(workspace)

    assert find(workspace) is None
    assert without_logs(workspace.artifacts("train")) == before
    assert leftovers(workspace) == []


@pytest.mark.parametrize("kinds", [[], ["train", "inference"]])
def test_where_no_one_can_tell_whose_the_artifacts_are_they_stay_and_a_fix_is_told(
    kinds: list[str], workspace: Workspace
) -> None:
    begin(workspace, TRAIN)
    damage(workspace, "[]")
    (workspace.unfinished / "train").rmdir()
    for kind in kinds:
        (workspace.unfinished / kind).mkdir()

    with pytest.raises(RunError, match="cannot be read: not an object") as caught:
        find(workspace)

    assert str(workspace.unfinished) in caught.value.fix
    assert (workspace.unfinished / "previous/artifacts/models/train/model").read_text() == "good"


# An error of the disk at each point: unlike after a kill, the process goes on.


@contextmanager
def failing_at(number: int, *, once: bool) -> Iterator[None]:
    """The change to the disk of this number fails, and all after it unless ``once``."""
    changes = itertools.count()

    def failing(change: Callable[..., Any]) -> Callable[..., Any]:
        def change_or_fail(*args: Any, **options: Any) -> Any:
            now = next(changes)
            if now == number or (now > number and not once):
                raise OSError(errno.EIO, "Input/output error", str(args[0]))
            return change(*args, **options)

        return change_or_fail

    with pytest.MonkeyPatch.context() as patched:
        for name in (*CHANGES, "fsync"):
            patched.setattr(os, name, failing(getattr(os, name)))
        yield


def as_the_engine_does(workspace: Workspace, info: dict[str, str], end: str) -> None:
    """A run up to its end, or to the first error, after which it is undone."""
    try:
        run = begin(workspace, info)
        if info is INFERENCE:
            run.replace_models(borrowed=False)
        write(workspace.artifacts(run.kind) / "new", "new")
    except (OSError, RunError):
        if left := find(workspace):
            left.put_back()
        return
    write(workspace.history / "run-2", end)
    getattr(run, end)()


@pytest.mark.parametrize("number", range(24))
@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
@pytest.mark.parametrize(
    ("info", "end"), [(TRAIN, "put_back"), (TRAIN, "discard"), (INFERENCE, "discard")]
)
def test_wherever_the_disk_fails_the_artifacts_are_the_good_ones_or_the_new_ones(
    info: dict[str, str], end: str, once: bool, number: int, workspace: Workspace
) -> None:
    kind = info["pipeline"]
    before = without_logs(workspace.artifacts(kind))

    with suppress(OSError, RunError), failing_at(number, once=once):
        as_the_engine_does(workspace, info, end)
    has_ended = (workspace.history / "run-2").exists()
    if left := find(workspace):
        getattr(left, end if has_ended else "put_back")()

    is_new = has_ended and end == "discard"
    assert without_logs(workspace.artifacts(kind)) == ({"new": "new"} if is_new else before)
    assert leftovers(workspace) == []


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
