"""Server-sent events: those of a run, from any of them on, without a gap."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.waiting import end_all, wait_until

from alo.history.follow import Run
from alo.ui.live.stream import _Reader
from alo.ui.studio import Studio


def messages(client: httpx.Client, path: str, **headers: str) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        number = -1
        for line in answer.iter_lines():
            if line.startswith("id: "):
                number = int(line.removeprefix("id: "))
            elif line.startswith("data: ") and number >= 0:
                found.append((number, json.loads(line.removeprefix("data: "))))
    return found


def test_a_run_that_has_ended_is_reported_from_its_first_event_to_its_last(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    reported = messages(client, f"/events?run={runs['train']}")

    assert [number for number, _ in reported] == list(range(len(reported)))
    assert [envelope["sequence"] for _, envelope in reported] == list(range(len(reported)))
    assert reported[-1][1]["event"] == "run_finished"


def test_who_was_cut_off_continues_behind_the_last_event_that_came(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    path = f"/events?run={runs['train']}"
    reported = messages(client, path)

    assert messages(client, path, **{"Last-Event-ID": "2"}) == reported[3:]


def test_a_place_that_is_none_is_refused(client: httpx.Client, runs: dict[str, str]) -> None:
    path = f"/events?run={runs['train']}"

    assert client.get(path, headers={"Last-Event-ID": "x"}).status_code == 422


Started = subprocess.Popen[bytes]
WAITING = """\
print('it waits')
        import os, time
        while not os.path.exists('go'):
            time.sleep(0.01)
        print("depth", x)"""


@pytest.fixture
def in_progress(home: Path) -> Iterator[Started]:
    """A run whose step prints, and then waits for a file that is called ``go``."""
    asset = home / "assets/train/asset_train.py"
    text = asset.read_text()
    assert 'print("depth", x)' in text
    asset.write_text(text.replace('print("depth", x)', WAITING))
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", "train"]
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL)
    yield process
    end_all(process)


class Watchers:
    """Several browsers that watch a run, each in a thread."""

    def __init__(self, client: httpx.Client, path: str, count: int) -> None:
        self.lines: list[list[str]] = [[] for _ in range(count)]

        def watch(lines: list[str]) -> None:
            with client.stream("GET", path) as answer:
                for line in answer.iter_lines():
                    lines.append(line)

        self._threads = [threading.Thread(target=watch, args=(each,)) for each in self.lines]
        for each in self._threads:
            each.start()

    def have(self, text: str) -> bool:
        return all(any(text in line for line in list(lines)) for lines in self.lines)

    def ended(self) -> list[list[str]]:
        """What each has seen, once all streams have ended."""
        for each in self._threads:
            each.join()
        return self.lines


def running(client: httpx.Client) -> str:
    def look() -> str:
        found = client.get("/overview.json").json()["running"]
        return str(found["id"]) if found else ""

    return wait_until(look)


def test_ten_who_watch_a_run_see_all_of_it_as_it_happens(
    client: httpx.Client, in_progress: Started, home: Path
) -> None:
    path = f"/events?run={running(client)}"
    watchers = Watchers(client, path, 10)
    wait_until(lambda: watchers.have("it waits"))  # the run has not ended: it waits

    (home / "go").touch()

    whole = [line for line in watchers.ended()[0] if line.startswith("id: ")]
    assert whole == [f"id: {number}" for number in range(len(whole))]
    for lines in watchers.lines:
        assert [line for line in lines if line.startswith("id: ")] == whole
    # Whoever comes back goes on where it was, also once the run is in history.
    in_progress.wait()
    assert len(messages(client, path, **{"Last-Event-ID": "0"})) == len(whole) - 1


def test_who_watches_a_run_that_is_killed_is_reported_that_nothing_more_comes(
    client: httpx.Client, in_progress: Started
) -> None:
    watchers = Watchers(client, f"/events?run={running(client)}", 1)
    wait_until(lambda: watchers.have("it waits"))

    in_progress.kill()
    in_progress.wait()

    assert "event: over" in watchers.ended()[0]


def test_who_watches_a_run_is_not_shown_the_one_that_follows(
    client: httpx.Client, in_progress: Started, home: Path
) -> None:
    first = running(client)
    (home / "go").touch()
    in_progress.wait()
    command = [sys.executable, "-m", "alo.cli.main", "run", "--mode", "train"]
    subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL, check=True)

    reported = messages(client, f"/events?run={first}")

    assert {envelope["run_id"] for _, envelope in reported} == {first}
    assert reported[-1][1]["event"] == "run_finished"


def test_a_run_that_is_pruned_while_it_is_watched_is_over_and_then_not_there(
    client: httpx.Client, studio: Studio, runs: dict[str, str]
) -> None:
    record = studio.history.look_up(runs["train"])
    folder = studio.history.folder(record)
    assert folder is not None
    reader = _Reader(studio, Run(record.id, record.pipeline), 0)
    assert reader.next()

    shutil.rmtree(folder)

    assert any(not reader.next() and reader.is_over() for _ in range(50))
    reader.close()
    assert client.get(f"/events?run={record.id}").status_code == 404
