"""Workers that share what comes in: whatever befalls one request, the next is answered."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.engine.request import RunRequest
from alo.errors import ServeError
from alo.events.types import Event, Listener, LogLine
from alo.serve.rollout.follow import Changes
from alo.serve.service import Service, prepare
from alo.workers import pool as pool_module
from alo.workers.handle import BOOT_S, Worker
from alo.workers.pool import NotReadyError, Pool, QueueFullError
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket

from ..serve.conftest import OUTPUT
from ..support.waiting import PATIENCE_S, wait_until

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

    (tmp_path / "file").touch()
    inside = tmp_path / "file" / "x"
    pool = pool_of(service, events.append)
    pool.start()
    try:
        pool.submit(Ticket(asking("a"), tmp_path / "a", fail, results.put))
        pool.submit(Ticket(asking("b"), tmp_path / "b", nothing, fail))
        pool.submit(Ticket(asking("c"), inside, nothing, results.put, is_stored=True))
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


@pytest.fixture
def held(make_solution: MakeSolution, tmp_path: Path) -> Iterator[Pool]:
    """A pool of one worker with room for one request, whose requests wait for ``go``."""
    wait = (
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)\n"
    )
    home = make_solution(inference={"inference": wait + ECHO}, control={"backup_artifacts": False})
    service = prepare(RunRequest(home), "serve", lambda event: None)
    workers = service.workers(1, BOOT_S, lambda event: None)
    changes = Changes(service, workers, None, lambda event: None)
    pool = Pool(workers, changes, None, 1, lambda event: None)
    pool.start()
    yield pool
    (tmp_path / "go").touch()
    pool.stop()


def test_a_full_queue_takes_only_what_was_accepted_before(held: Pool, tmp_path: Path) -> None:
    results: queue.Queue[Result] = queue.Queue()
    begun = threading.Event()
    held.submit(Ticket(asking("a"), tmp_path / "a", begun.set, results.put))
    assert begun.wait(PATIENCE_S)
    assert not held.is_drained
    held.submit(Ticket(asking("b"), tmp_path / "b", nothing, results.put))

    with pytest.raises(QueueFullError):
        held.submit(Ticket(asking("c"), tmp_path / "c", nothing, results.put))
    held.submit(Ticket(asking("d"), tmp_path / "d", nothing, results.put), always=True)
    (tmp_path / "go").touch()

    taken = [results.get(timeout=PATIENCE_S) for _ in range(3)]
    assert [result.id for result in taken] == ["a", "b", "d"]


def test_at_its_end_the_request_in_hand_is_finished_and_the_others_are_answered_or_left(
    held: Pool, tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    begun, released = threading.Event(), threading.Event()
    held.submit(Ticket(asking("a"), tmp_path / "a", begun.set, results.put))
    assert begun.wait(PATIENCE_S)
    stored = Ticket(asking("s"), tmp_path / "s", nothing, results.put, is_stored=True)
    held.submit(stored, always=True)
    held.submit(
        Ticket(asking("b"), tmp_path / "b", nothing, results.put, released.set), always=True
    )

    held.end_soon()
    dismissed = results.get(timeout=PATIENCE_S)
    (tmp_path / "go").touch()
    finished = results.get(timeout=PATIENCE_S)
    held.stop()

    assert (dismissed.id, dismissed.status) == ("b", "fail")
    assert dismissed.failure is not None
    assert dismissed.failure.kind == "away"
    assert released.is_set()
    assert (finished.id, finished.status) == ("a", "success")
    assert results.empty()  # what is stored is for a later service
    with pytest.raises(NotReadyError):
        held.submit(Ticket(asking("c"), tmp_path / "c", nothing, results.put))


def test_a_worker_that_cannot_be_booted_any_more_is_reported_and_tried_again(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    results: queue.Queue[Result] = queue.Queue()
    monkeypatch.setattr(pool_module, "LOOK_S", 0.05)
    monkeypatch.setattr(pool_module, "RESTART_PAUSE_S", 0.05)
    pool = pool_of(service, events.append)
    pool.start()
    (worker,) = pool._workers
    revive = Worker.revive

    def fail(self: Worker) -> None:
        raise ServeError("no more processes")

    def texts() -> list[str]:
        return [event.text for event in events if isinstance(event, LogLine)]

    try:
        monkeypatch.setattr(Worker, "revive", fail)
        assert worker._child is not None
        os.kill(worker._child.pid, signal.SIGKILL)
        wait_until(lambda: any("it is tried again: no more processes" in each for each in texts()))
        with pytest.raises(NotReadyError, match="no more processes"):
            pool.submit(Ticket(asking("a"), tmp_path / "a", nothing, results.put))
        assert not pool.is_ready
        monkeypatch.setattr(Worker, "revive", revive)
        wait_until(lambda: "a worker is warm again" in texts())
        pool.submit(Ticket(asking("b"), tmp_path / "b", nothing, results.put))
        assert results.get(timeout=PATIENCE_S).status == "success"
    finally:
        pool.stop()
