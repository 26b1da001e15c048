"""Where a run's events are, and how they are followed while another process runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.events.stored import StoredEvent
from alo.history.entries.names import entry_folder
from alo.history.follow import Run, events_file, follow, running, wait_for_run
from alo.layout import Workspace

MakeSolution = Callable[..., Path]
WAITS = """
    import time
    print("waiting")
    while not Path(self.asset.project_home, "go").exists(): time.sleep(0.01)
    print("went on")
"""


class Going:
    """A run in a process of its own, which waits until ``go``."""

    def __init__(self, home: Path) -> None:
        self.home, self.workspace = home, Workspace(home)
        command = [sys.executable, "-m", "alo.cli.main", "run", "--quiet", "--project", str(home)]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def reached(self) -> Run:
        """The run, once it waits."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            run = running(self.workspace)
            path = events_file(self.workspace, run) if run else None
            if run and path and b"waiting" in path.read_bytes():
                return run
            time.sleep(0.01)
        raise AssertionError("it has not begun")

    def go(self) -> None:
        (self.home / "go").touch()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution({"train": WAITS})


@pytest.fixture
def going(home: Path) -> Iterator[Going]:
    going = Going(home)
    yield going
    going.end()


def names(events: list[StoredEvent]) -> list[str]:
    return [each.name for each in events]


def stored(workspace: Workspace, run: Run, since: int = 0) -> list[StoredEvent]:
    return [each for each in follow(workspace, run, since) if isinstance(each, StoredEvent)]


def test_a_run_of_another_process_is_followed_to_its_end(going: Going) -> None:
    run = going.reached()
    seen = []

    for each in follow(going.workspace, run):
        assert isinstance(each, StoredEvent)
        seen.append(each)
        if each.content["payload"].get("text") == "waiting\n":
            going.go()

    assert [each.sequence for each in seen] == list(range(len(seen)))
    assert seen[-1].name == "run_finished"
    assert {each.run_id for each in seen} == {run.id}
    assert going.process.wait(60) == 0
    assert stored(going.workspace, run) == seen  # afterwards, from its entry
    assert stored(going.workspace, run, 3) == seen[3:]


def test_two_follow_it_at_once_from_where_they_like(going: Going) -> None:
    run = going.reached()
    seen: dict[int, list[StoredEvent]] = {}

    def read(since: int) -> None:
        seen[since] = stored(going.workspace, run, since)

    threads = [threading.Thread(target=read, args=(since,)) for since in (0, 2)]
    for thread in threads:
        thread.start()
    going.go()
    for thread in threads:
        thread.join(60)

    assert seen[0][2:] == seen[2]
    assert seen[2][-1].is_last


def test_those_until_now_are_read_without_waiting(going: Going) -> None:
    run = going.reached()

    events = [*follow(going.workspace, run, to_its_end=False)]

    assert isinstance(events[-1], StoredEvent)
    assert events[-1].name == "output"


def test_of_a_run_that_is_killed_the_end_is_noticed(going: Going) -> None:
    run = going.reached()
    events = follow(going.workspace, run)
    first = next(events)
    going.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()

    rest = [*events]

    assert time.monotonic() - killed < 15
    assert isinstance(first, StoredEvent)
    assert isinstance(rest[-1], StoredEvent)
    assert rest[-1].name == "output"
    assert running(going.workspace) is None


def test_the_end_of_a_killed_run_is_in_its_entry_once_the_next_has_begun(going: Going) -> None:
    run = going.reached()
    going.end()
    going.go()
    again = Going(going.home)
    assert again.process.wait(60) == 0

    events = stored(going.workspace, run)

    assert events[-1].content["payload"]["status"] == "interrupted"


def test_what_is_in_the_artifacts_may_be_another_runs(going: Going) -> None:
    run = going.reached()

    assert events_file(going.workspace, run) is not None
    assert events_file(going.workspace, run._replace(id="20260101T000000Z-00000001-x")) is None
    assert events_file(going.workspace, run._replace(pipeline="inference")) is None


def test_without_events_nothing_is_followed(home: Path) -> None:
    run = Run("20260101T000000Z-00000001-x", "train")
    entry_folder(Workspace(home), "train", run.id).mkdir(parents=True)  # of an earlier version

    assert [*follow(Workspace(home), run)] == []


def test_the_next_run_is_waited_for(home: Path) -> None:
    found: list[Run] = []
    waiting = threading.Thread(target=lambda: found.append(wait_for_run(Workspace(home))))
    waiting.start()
    going = Going(home)
    try:
        run = going.reached()
        waiting.join(60)
    finally:
        going.end()

    assert found == [run]


def test_a_run_that_ends_before_it_is_seen_counts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = Workspace(home).history / "train"
    (entries / "20260101T000000Z-00000001-x").mkdir(parents=True)

    def make_one(seconds: float) -> None:
        assert seconds < 1
        os.makedirs(entries / ".building", exist_ok=True)
        (entries / "20260101T000000Z-00000002-x-error").mkdir()

    monkeypatch.setattr("alo.history.follow.sleep", make_one)

    assert wait_for_run(Workspace(home)) == Run("20260101T000000Z-00000002-x", "train")


def test_a_killed_run_is_not_the_next_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going = Going(home)
    killed = going.reached()
    going.end()
    entries = Workspace(home).history / "train"
    made = iter([f"{killed.id}-error", "29990101T000000Z-00000001-x"])
    monkeypatch.setattr(
        "alo.history.follow.sleep", lambda seconds: (entries / next(made)).mkdir(parents=True)
    )

    assert wait_for_run(Workspace(home)) == Run("29990101T000000Z-00000001-x", "train")
