"""Workers that share what comes in: whatever befalls one request, the next is answered."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.request import RunRequest
from alo.events.types import Event, Listener, LogLine
from alo.serve.rollout.follow import Changes
from alo.serve.service import Service, prepare
from alo.workers.handle import BOOT_S
from alo.workers.pool import Pool
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket

from ..serve.conftest import OUTPUT
from ..waiting import PATIENCE_S

MakeSolution = Callable[..., Path]
ECHO = f"self.data['result'] = str(self.args.get('word', 'none'))\n{OUTPUT}"


@pytest.fixture
def service(make_solution: MakeSolution) -> Service:
    home = make_solution(inference={"inference": ECHO}, control={"backup_artifacts": False})
    return prepare(RunRequest(home), "serve", lambda event: None)


def asking(word: str) -> Request:
    return Request(word, args={"inference": {"word": word}})


def pool_of(service: Service, listener: Listener) -> Pool:
    workers = service.workers(1, BOOT_S, listener)
    return Pool(workers, Changes(service, workers, None, listener), None, 10, listener)


def nothing() -> None:
    """There is nothing to do meanwhile."""


def test_a_sample_that_cannot_be_kept_costs_no_request(service: Service, tmp_path: Path) -> None:
    events: list[Event] = []
    results: queue.Queue[Result] = queue.Queue()
    samples = service.job.workspace.internal / "samples"
    samples.parent.mkdir(exist_ok=True)
    samples.write_text("a file where the folder should be")
    released = threading.Event()

    pool = pool_of(service, events.append)
    pool.start()
    try:
        for name in ("a", "b"):
            pool.submit(Ticket(asking(name), tmp_path / name, nothing, results.put, released.set))
        taken = [results.get(timeout=PATIENCE_S) for _ in range(2)]
        assert released.wait(PATIENCE_S)
    finally:
        pool.stop()

    assert [result.status for result in taken] == ["success", "success"]
    warnings = [event.text for event in events if isinstance(event, LogLine)]
    assert any("a sample could not be kept" in text for text in warnings)


def test_a_front_end_that_fails_once_is_called_for_the_next_request(
    service: Service, tmp_path: Path
) -> None:
    events: list[Event] = []
    results: queue.Queue[Result] = queue.Queue()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    pool = pool_of(service, events.append)
    pool.start()
    try:
        pool.submit(Ticket(asking("a"), tmp_path / "a", fail, results.put))
        pool.submit(Ticket(asking("b"), tmp_path / "b", nothing, fail))
        pool.submit(Ticket(asking("c"), tmp_path / "a" / "out.csv" / "x", nothing, results.put))
        pool.submit(Ticket(asking("d"), tmp_path / "d", nothing, results.put))
        taken = [results.get(timeout=PATIENCE_S) for _ in range(3)]
    finally:
        pool.stop()

    assert [result.id for result in taken] == ["a", "c", "d"]
    assert [result.status for result in taken] == ["success", "fail", "success"]
    assert taken[1].failure
    assert "output files cannot be written" in taken[1].failure.comment
    warnings = [event.text for event in events if isinstance(event, LogLine)]
    assert sum("could not be kept" in text for text in warnings) == 2
