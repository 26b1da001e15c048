"""What dead services have left goes, and history stays within its size."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.events.types import Event, LogLine
from alo.layout import Workspace
from alo.serve import upkeep
from alo.serve.folders import has_worker_died, lives, make_folder, sweep
from alo.serve.upkeep import Upkeep, prune_history

from ..support.waiting import wait_until


def folders(home: Path) -> list[str]:
    return [path.name for path in (home / ".alo/serve").iterdir() if path.is_dir()]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_what_a_dead_service_left_goes_and_what_is_known_of_its_workers_stays(
    workspace: Workspace,
) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from alo.layout import Workspace
from alo.serve.folders import make_folder
folder = make_folder(Workspace(Path(sys.argv[1])), "loop")
(folder.path / "worker-0/workspace").mkdir(parents=True)
print(folder.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", script, str(workspace.home)]
    dead = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    own = make_folder(workspace, "loop")

    assert folders(workspace.home) == [own.name]
    assert lives(workspace, own.name)
    assert not lives(workspace, dead)
    assert has_worker_died(workspace, f"{dead}-0")
    assert not has_worker_died(workspace, f"{own.name}-0")
    for name in ("loop-00ff00-0", "host-12-00ff00", f"../serve/{dead}-0", "", "\udc80-0", "a\0-0"):
        assert not has_worker_died(workspace, name)
    claim = workspace.internal / "claims" / dead
    os.utime(claim, (0, 0))
    sweep(workspace)
    assert not claim.exists()
    own.remove()
    assert os.listdir(workspace.internal / "serve") == []
    assert os.listdir(workspace.internal / "claims") == []


def test_sweeping_a_project_without_services_is_no_trouble(workspace: Workspace) -> None:
    sweep(workspace)

    assert not workspace.internal.exists()


def test_history_of_served_requests_is_kept_within_its_size(
    make_solution: Callable[..., Path], run: Callable[..., Any]
) -> None:
    home = make_solution({"train": "pass"}, control={"backup_artifacts": True})
    kept = [run(home, mode="train")[0].run_id for _ in range(3)]

    prune_history(Workspace(home), 0)

    left = {path.name for path in (home / "history/train").iterdir()}
    assert kept[-1] in left
    assert not left & set(kept[:-1])


def test_a_work_that_fails_is_reported_once_and_done_again_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "EVERY_S", 0.01)
    events: list[Event] = []
    outcomes = iter([OSError("no room"), OSError("no room"), None, OSError("no room again")])
    done: list[int] = []

    def fail() -> None:
        outcome = next(outcomes, None)
        if outcome is not None:
            raise outcome

    works = Upkeep(
        {"history cannot be pruned": fail, "others": lambda: done.append(1)}, events.append
    )
    works.start()
    wait_until(lambda: len(done) >= 5)
    works.stop()

    said = [event.text for event in events if isinstance(event, LogLine)]
    assert said == ["history cannot be pruned: no room", "history cannot be pruned: no room again"]


def test_works_that_were_never_begun_can_be_ended() -> None:
    works = Upkeep({}, print)

    works.stop()

    assert not works._thread.is_alive()
