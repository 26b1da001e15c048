"""Services of ALO 0.1.0, which have no claims, keep what is theirs while they run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.serve.folders import earlier_services, folder_of, lives, sweep


@pytest.fixture
def process() -> Iterator[int]:
    """A process that lives for as long as the test."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started.pid
        started.kill()


def start_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]


def test_their_folders_stay_while_they_run(tmp_path: Path, process: int) -> None:
    workspace = Workspace(tmp_path)
    live, dead = folder_of(workspace, f"loop-{process}"), folder_of(workspace, "loop-4194305")
    for folder in (live, dead):
        (folder / "worker-0").mkdir(parents=True)

    sweep(workspace)

    assert [live.is_dir(), dead.is_dir()] == [True, False]
    assert earlier_services(workspace) == [process]


def test_their_requests_are_theirs_while_they_run(tmp_path: Path, process: int) -> None:
    workspace = Workspace(tmp_path)

    assert lives(workspace, f"{process} {start_of(process)}")
    assert not lives(workspace, f"{process} 1")
    assert not lives(workspace, "4194305 1")
