"""A lock whose file is deleted or cannot be made, and a disk that has no locks."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from alo import claims
from alo.engine.workspace import lock
from alo.errors import AloError
from alo.events.types import Event, LogLine
from alo.layout import Workspace

from .test_lock import take


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One in which nothing has run."""
    return Workspace(tmp_path)


def test_internals_deleted_before_a_run_are_made_again(workspace: Workspace) -> None:
    take(workspace)
    shutil.rmtree(workspace.internal)

    assert take(workspace) is False


def test_internals_deleted_while_we_open_the_lock_are_not_taken_for_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def delete_first(descriptor: int, how: int) -> None:
        shutil.rmtree(workspace.internal, ignore_errors=True)
        flock(descriptor, how)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", delete_first)
        assert lock._claim_now(workspace, "a test") is None

    assert take(workspace) is False


def test_a_full_disk_does_not_keep_the_lock_from_working(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    assert take(workspace) is False


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_to_is_named(
    number: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object, *args: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    workspace.internal.mkdir()
    monkeypatch.setattr(os, "open", refuse)

    with pytest.raises(AloError) as caught:
        take(workspace)

    assert caught.value.what.startswith("cannot write to the project's folder")
    assert os.strerror(number) in caught.value.what
    assert str(workspace.home) in caught.value.where
    assert caught.value.fix


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_on_a_disk_without_locks_it_is_had_with_a_warning(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock

    def refuse(descriptor: int, how: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(workspace.internal)):
            raise OSError(errno.ENOLCK, "No locks available")
        flock(descriptor, how)

    (tmp_path / "of this machine").mkdir()
    monkeypatch.setattr(claims, "STAND_INS", str(tmp_path / "of this machine"))
    monkeypatch.setattr(fcntl, "flock", refuse)
    heard: list[Event] = []

    assert take(workspace, heard=heard) is False

    (line,) = heard
    assert isinstance(line, LogLine)
    assert line.level == "WARNING"
    assert line.text.startswith(f"the disk of {workspace.internal} has no locks")


def test_a_lock_that_cannot_be_had_anywhere_is_an_error(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self") else set()

    with pytest.raises(AloError, match="cannot be locked: No locks available") as caught:
        take(workspace)

    assert caught.value.where == str(workspace.lock)
    assert not before or set(os.listdir("/proc/self/fd")) == before
