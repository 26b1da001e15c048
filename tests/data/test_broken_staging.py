"""A staging that fails or is broken off says why, and the next one takes up from there."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.copying import Copied, Copier
from alo.data.locations import list_sources
from alo.data.staging import Staged, stage, use_what_is_there
from alo.errors import StagingError
from alo.layout import Workspace

from .test_staging import read_tree

WriteTree = Callable[..., Path]
StagePaths = Callable[..., Staged]


def test_the_damaged_memory_of_a_staging_costs_a_copy_and_no_more(
    workspace: Workspace, write_tree: WriteTree, stage_paths: StagePaths
) -> None:
    source = write_tree("data", {"x": "1"})
    before = stage_paths(source)
    workspace.staging_manifest("train").write_text(
        '[["data/x"], [], [[1], [2], [3]], ["data/x"], []]'
    )

    assert stage_paths(source) == before


def test_a_source_that_changes_while_it_is_copied_fails_the_staging(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    source = write_tree("data", {"x": "1"})
    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))
    (source / "x").write_text("longer")

    with pytest.raises(StagingError, match="changed while it was being staged"):
        stage(workspace, "train", sources, lambda done, total: None)

    assert read_tree(workspace.input("train")) == {}


def test_a_source_that_disappears_is_named(workspace: Workspace, write_tree: WriteTree) -> None:
    source = write_tree("data", {"x": "1"})
    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))
    (source / "x").unlink()

    with pytest.raises(StagingError, match=r"cannot stage .*data/x: No such file"):
        stage(workspace, "train", sources, lambda done, total: None)


class _Break:
    """Lets some copies through, then raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int, error: BaseException) -> None:
        self.left, self.error, self.copy = after, error, Copier.copy
        monkeypatch.setattr(Copier, "copy", lambda copier, *paths: self(copier, *paths))

    def __call__(self, copier: Copier, source: str, target: str) -> Copied:
        if self.left == 0:
            raise self.error
        self.left -= 1
        return self.copy(copier, source, target)


def test_a_full_disk_says_what_was_written_and_how_much_is_needed(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write_tree("data", {"x": "1", "y": "22", "z": "333"})
    _Break(monkeypatch, 1, OSError(errno.ENOSPC, "No space left on device"))

    with pytest.raises(StagingError, match=r"cannot stage .*data/y: No space left") as caught:
        stage_paths(source)

    assert caught.value.fix.startswith("make room for 5 bytes on the disk")


def test_a_second_try_continues_where_the_first_was_broken_off(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write_tree("data", {"x": "1", "y": "22", "z": "333"})
    with monkeypatch.context() as patch:
        _Break(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            stage_paths(source)

    assert stage_paths(source).copied == 1
    assert len(read_tree(workspace.input("train"))) == 3


def test_the_rest_of_a_broken_staging_is_not_taken_for_input_data(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = write_tree("data", {"x": "1", "y": "22"})
    with monkeypatch.context() as patch:
        _Break(patch, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            stage_paths(source)

    with pytest.raises(StagingError, match="data is the rest of a staging that was broken off"):
        use_what_is_there(workspace, "train")

    stage_paths(source)
    assert use_what_is_there(workspace, "train").data_id


def test_data_put_in_place_of_a_broken_staging_is_used(
    workspace: Workspace,
    write_tree: WriteTree,
    stage_paths: StagePaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        _Break(patch, 0, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            stage_paths(write_tree("data", {"x": "1"}))
    write_tree("project/input/train", {"mine.csv": "2"})

    assert set(use_what_is_there(workspace, "train").files) == {"mine.csv"}


def test_no_permission_half_way_is_named(unprivileged: Path) -> None:
    (unprivileged / "data").mkdir()
    (unprivileged / "data/x").write_text("1")
    target = unprivileged / "input/train/data"
    target.mkdir(parents=True)
    target.chmod(0o500)
    workspace = Workspace(unprivileged)
    sources = list_sources(workspace.home, ["data"], workspace.input("train"))

    with pytest.raises(StagingError, match="data/x: Permission denied"):
        stage(workspace, "train", sources, lambda done, total: None)
