"""A copy is whole, and its checksum its own, whatever the file system can do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data import copying
from alo.data.staging import (
    Staged,
)
from alo.files import checksum
from alo.layout import Workspace

WriteTree = Callable[..., Path]


StagePaths = Callable[..., Staged]


def read_tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name from there."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("has_clone", [False, True])
@pytest.mark.parametrize("has_copy_range", [False, True])
def test_large_files_are_copied_whole_whatever_the_file_system_can_do(
    write_tree: WriteTree,
    stage_paths: StagePaths,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    has_clone: bool,
    has_copy_range: bool,
) -> None:
    monkeypatch.setattr(copying, "LARGE", 1000)
    monkeypatch.setattr(copying, "STRIDE", 4096)
    if not has_copy_range:
        monkeypatch.delattr(os, "copy_file_range")
    if not has_clone:
        monkeypatch.setattr(copying, "FICLONE", 0)
    content = os.urandom(3_000_017)
    source = write_tree("data", {"big": content})

    staged = stage_paths(source)

    assert read_tree(workspace.input("train")) == {"data/big": content}
    assert staged.files["data/big"] == checksum(source / "big")
