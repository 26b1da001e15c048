"""Processes killed at random moments, and full disks: what is left is whole, or known as a rest."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data.export import export_artifacts
from alo.data.locations import list_sources
from alo.data.staging import Staged, stage, use_what_is_there
from alo.errors import ExportError, StagingError
from alo.files import checksum
from alo.layout import Workspace

WriteTree = Callable[..., Path]
KILLS = 8
STAGE = """\
import sys
from pathlib import Path
from alo.data.locations import list_sources
from alo.data.staging import stage
from alo.layout import Workspace
workspace = Workspace(Path(sys.argv[1]))
sources = list_sources(workspace.home, sys.argv[2:], workspace.input("train"))
print("ready", flush=True)
stage(workspace, "train", sources, lambda done, total: None)
"""
EXPORT = """\
import sys
from pathlib import Path
from alo.data.export import export_artifacts
print("ready", flush=True)
export_artifacts(Path(sys.argv[1]), "train", Path(sys.argv[2]), "tar.gz")
"""


def killed(code: str, *arguments: Path, within_s: float) -> None:
    """Run ``code`` and kill it at a random moment of its work."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.uniform(0, within_s))  # noqa: S311 - any moment will do
        process.kill()


def test_a_killed_staging_never_passes_for_whole(
    workspace: Workspace, write_tree: WriteTree
) -> None:
    contents = {f"{number // 100}/{number}": os.urandom(3000) for number in range(800)}
    source = write_tree("data", {**contents, "large": os.urandom(20_000_000)})
    whole: Staged | None = None
    for _ in range(KILLS):
        before = _checksums(workspace.input("train"))
        killed(STAGE, workspace.home, source, within_s=0.15)

        try:
            used = use_what_is_there(workspace, "train")
        except StagingError:
            used = None
        sources = list_sources(workspace.home, [str(source)], workspace.input("train"))
        whole = stage(workspace, "train", sources, lambda done, total: None)

        assert used is None or used.files in ({}, before, whole.files)
        assert len(whole.files) == 801
        subprocess.run(["diff", "-r", source, workspace.input("train") / "data"], check=True)
        assert sorted(os.listdir(workspace.internal)) == ["staged-train.json"]
        (workspace.input("train") / "data/large").unlink()
        for number in range(0, 800, 3):
            (workspace.input("train") / f"data/{number // 100}/{number}").write_bytes(b"spoiled")


def _checksums(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): checksum(path) for path in files}


def test_a_killed_export_leaves_the_old_archives_or_the_new_ones(
    write_tree: WriteTree, tmp_path: Path
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": os.urandom(8_000_000), "log/x": "1"})
    target = tmp_path / "to"
    export_artifacts(artifacts, "train", target, "tar.gz")
    for _ in range(KILLS):
        killed(EXPORT, artifacts, target, within_s=0.08)

        for name in ("train_artifacts.tar.gz", "model.tar.gz"):
            with tarfile.open(target / name) as archive:
                assert any(member.size == 8_000_000 for member in archive)

    export_artifacts(artifacts, "train", target, "tar.gz")
    assert sorted(os.listdir(target)) == ["model.tar.gz", "train_artifacts.tar.gz"]


@pytest.fixture
def full_soon(small_disk: Callable[..., Path]) -> Path:
    """A disk of 4 MB."""
    return small_disk(4)


@pytest.mark.parametrize("size", [1_000_000, 9_000_000])
def test_staging_on_a_full_disk_says_so_and_continues_when_there_is_room(
    full_soon: Path, write_tree: WriteTree, size: int
) -> None:
    source = write_tree("data", {str(number): os.urandom(size) for number in range(4)})
    workspace = Workspace(full_soon)
    filler = full_soon / "filler"
    filler.write_bytes(bytes(1_000_000))
    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))

    with pytest.raises(StagingError, match=r"cannot stage .*/data/\d: No space left") as caught:
        stage(workspace, "train", sources, lambda done, total: None)

    assert caught.value.fix.startswith("make room for ")
    if size == 1_000_000:
        filler.unlink()
        (source / "3").unlink()
        sources = sources[:3]
        assert stage(workspace, "train", sources, lambda done, total: None).copied < 3


def test_an_export_to_a_full_disk_says_so_and_leaves_nothing(
    full_soon: Path, write_tree: WriteTree
) -> None:
    artifacts = write_tree("train_artifacts", {"models/m": os.urandom(3_000_000)})

    with pytest.raises(ExportError, match="No space left") as caught:
        export_artifacts(artifacts, "train", full_soon / "to", "tar.gz")

    assert caught.value.fix.startswith("make room for 3,000,000 bytes")
    assert os.listdir(full_soon / "to") == []
