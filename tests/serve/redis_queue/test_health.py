"""What a loop reports of itself is there for probes, and goes with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.layout import Workspace
from alo.serve.folders import ServiceFolder, make_folder
from alo.serve.redis_queue import health
from alo.serve.redis_queue.health import AWAY, BOOTING, FILE, SERVING, Health, loops_of


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def folder(workspace: Workspace) -> Iterator[ServiceFolder]:
    made = make_folder(workspace, "loop")
    yield made
    made.remove()


def test_a_loop_says_how_it_is(workspace: Workspace, folder: ServiceFolder) -> None:
    loop = Health(folder.path)
    (booting,) = loops_of(workspace)

    loop.be(SERVING)

    (serving,) = loops_of(workspace)
    assert (booting.status, serving.status) == (BOOTING, SERVING)
    assert (serving.name, serving.pid) == (folder.name, os.getpid())
    assert serving.since.endswith("Z")


def test_the_same_status_again_does_not_begin_anew(
    workspace: Workspace, folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Health(folder.path)
    monkeypatch.setattr(health.time, "time", lambda: 0.0)
    loop.be(AWAY)
    monkeypatch.setattr(health.time, "time", lambda: 86_400.0)

    loop.be(AWAY)

    (found,) = loops_of(workspace)
    assert found.since == "1970-01-01T00:00:00Z"


def test_requests_are_counted_and_written_once_a_second_at_most(
    workspace: Workspace, folder: ServiceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(health.time, "monotonic", lambda: now)
    loop = Health(folder.path)
    for _ in range(3):
        loop.count()
    assert next(loops_of(workspace)).requests == 0
    now += 1.5

    loop.count()

    assert next(loops_of(workspace)).requests == 4


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x"}'])
def test_a_damaged_file_is_of_no_loop(
    workspace: Workspace, folder: ServiceFolder, content: str
) -> None:
    (folder.path / FILE).write_text(content)

    assert list(loops_of(workspace)) == []


def test_a_file_that_cannot_be_written_stops_no_loop(folder: ServiceFolder) -> None:
    (folder.path / FILE).mkdir()

    Health(folder.path).be(SERVING)
