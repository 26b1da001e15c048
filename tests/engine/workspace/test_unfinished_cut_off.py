"""Wherever a run is killed, the disk fails or the journal is damaged, the good artifacts stay."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from alo.engine.workspace.unfinished import begin, find
from alo.errors import RunError
from alo.layout import Workspace

from .conftest import write
from .test_unfinished import INFERENCE, TRAIN, contents, leftovers, without_logs, work


class Killed(BaseException):
    """Stands for a kill: nothing after it is done."""


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
def test_where_no_one_can_tell_whose_the_artifacts_are_they_stay_and_a_fix_is_reported(
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
