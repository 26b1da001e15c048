"""An event loop runs requests by itself, but for what would hold it up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.engine.request import RunRequest
from alo.events.types import Event, Output
from alo.serve.rollout.follow import Changes
from alo.serve.service import prepare
from alo.workers import pool as pool_module
from alo.workers.direct import DirectRun
from alo.workers.handle import BOOT_S
from alo.workers.pace import Pace, Pause
from alo.workers.pool import Pool
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket, do_nothing

from ..serve.conftest import OUTPUT
from ..support.waiting import PATIENCE_S, wait_until

MakeSolution = Callable[..., Path]
DO = (
    "import os, time\nword = self.args['word']\n"
    "home, _, name = word.partition(' ')\nonce = Path(home, name + '.once')\n"
    "if name == 'print': print('printed')\n"
    "if name == 'fail': raise ValueError('told to')\n"
    "if name in ('kill', 'hang') and not once.exists():\n"
    "    once.touch()\n"
    "    os.kill(os.getpid(), 9) if name == 'kill' else time.sleep(600)\n"
    "while name == 'wait' and not Path(home, 'go').exists(): time.sleep(0.01)\n"
    "self.data['result'] = name\n"
)
LARGE = (
    "if name == 'large': Path(self.asset.get_output_path(), 'out.csv').write_text('x' * 99_999)\n"
)


class Service:
    """A pool of one worker, asked from a loop."""

    def __init__(self, home: Path, folder: Path, limit_s: float | None) -> None:
        self.events: list[tuple[str, Event]] = []  # each with the thread that heard it
        self._folder = folder
        self._prepared = prepare(RunRequest(home), "serve", self._hear)
        workers = self._prepared.workers(1, BOOT_S, self._hear)
        changes = Changes(self._prepared, workers, limit_s, self._hear)
        self.pool = Pool(workers, changes, limit_s, 10, self._hear)
        self.pool.start()
        self.reported_in: dict[str, str] = {}  # thread by request

    def _hear(self, event: Event) -> None:
        self.events.append((threading.current_thread().name, event))

    def ask(self, *names: str) -> list[Result]:
        """As soon as the worker is free: else its thread may take the first."""
        wait_until(lambda: bool(self.pool._free))
        return asyncio.run(self._ask(names))

    async def _ask(self, names: tuple[str, ...]) -> list[Result]:
        return await asyncio.gather(*(self.submit(name) for name in names))

    def submit(self, name: str) -> asyncio.Future[Result]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def done(result: Result) -> None:
            self.reported_in[name] = threading.current_thread().name
            loop.call_soon_threadsafe(future.set_result, result)

        self.pool.submit(self.ticket(name, done)._replace(loop=loop))
        return future

    def ticket(self, name: str, done: Callable[[Result], object]) -> Ticket:
        args = {"inference": {"word": f"{self._folder} {name}"}}
        return Ticket(Request(name, args=args), self._folder / f"{name}.out", do_nothing, done)

    def stop(self) -> None:
        self.pool.stop()
        self._prepared.folder.remove()


Serve = Callable[..., Service]
HERE = threading.current_thread().name  # where a test's loop runs


@pytest.fixture
def serve(make_solution: MakeSolution, tmp_path: Path) -> Iterator[Serve]:
    services: list[Service] = []

    def start(limit_s: float | None = None) -> Service:
        code = f"{DO}{OUTPUT}{LARGE}"
        home = make_solution(
            inference={"inference": code},
            args={"inference": {"word": ""}},
            control={"backup_artifacts": False},
        )
        service = Service(home, tmp_path, limit_s)
        services.append(service)
        service.ask("warm")  # which is kept as a sample: the next is not
        return service

    yield start
    for service in services:
        service.stop()


def test_a_request_that_says_nothing_is_run_in_the_loop_alone(serve: Serve) -> None:
    service = serve()

    (result,) = service.ask("a")

    assert (result.status, result.summary and result.summary["result"]) == ("success", "a")
    assert result.contents == {"out.csv": b"a\n1\n"}
    assert service.reported_in["a"] == HERE


def test_those_that_wait_for_the_worker_are_run_in_the_loop_in_their_order(serve: Serve) -> None:
    service = serve()

    results = service.ask("a", "b", "c")

    assert [result.status for result in results] == ["success"] * 3
    assert list(service.reported_in)[-3:] == ["a", "b", "c"]
    assert {service.reported_in[name] for name in "abc"} == {HERE}


@pytest.mark.parametrize("name", ["print", "large", "fail", "kill"])
def test_what_would_hold_up_the_loop_is_done_in_a_thread_and_the_next_is_in_the_loop_again(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    service = serve()

    (result,) = service.ask(name)

    assert result.status == ("fail" if name == "fail" else "success")
    assert service.reported_in[name] != HERE
    if name == "print":
        heard = [who for who, event in service.events if isinstance(event, Output)]
        assert heard
        assert HERE not in heard
    if name == "large":
        assert (tmp_path / "large.out/out.csv").stat().st_size == 99_999
    assert {result.status for result in service.ask("a", "b")} == {"success"}
    assert service.reported_in["b"] == HERE


def test_one_that_takes_too_long_is_ended_and_the_next_works(serve: Serve) -> None:
    service = serve(limit_s=1.0)

    (late,) = service.ask("hang")

    assert late.failure is not None
    assert late.failure.kind == "timeout"
    assert service.ask("a")[0].status == "success"


def test_one_whose_loop_has_ended_is_finished_when_the_pool_stops(
    serve: Serve, tmp_path: Path
) -> None:
    service = serve()
    results: list[Result] = []
    wait_until(lambda: bool(service.pool._free))

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        service.pool.submit(service.ticket("wait", results.append)._replace(loop=loop))

    asyncio.run(begin())
    assert not results
    (tmp_path / "go").touch()
    service.pool.stop()

    assert [(result.id, result.status) for result in results] == [("wait", "success")]


def test_one_that_is_stored_is_run_by_the_thread_behind_one_of_a_loop(
    serve: Serve, tmp_path: Path
) -> None:
    service = serve()
    stored: list[str] = []
    wait_until(lambda: bool(service.pool._free))

    async def ask() -> Result:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def note(result: Result) -> None:
            stored.append(threading.current_thread().name)
            loop.call_soon_threadsafe(done.set)

        first = service.submit("wait")
        service.pool.submit(service.ticket("s", note)._replace(is_stored=True), always=True)
        assert service.pool.waiting == 1
        (tmp_path / "go").touch()
        await asyncio.wait_for(done.wait(), PATIENCE_S)
        return await first

    assert asyncio.run(ask()).status == "success"
    assert len(stored) == 1
    assert HERE not in stored


def test_the_pool_is_drained_once_the_request_in_the_loop_is_answered(
    serve: Serve, tmp_path: Path
) -> None:
    service = serve()
    wait_until(lambda: bool(service.pool._free))

    async def ask() -> Result:
        first = service.submit("wait")
        await asyncio.to_thread(service.pool.end_soon)
        assert not service.pool.is_drained
        (tmp_path / "go").touch()
        result = await first
        while not service.pool.is_drained:
            await asyncio.sleep(0.01)
        return result

    assert asyncio.run(ask()).status == "success"


def test_a_worker_that_died_while_it_was_free_is_started_again_in_a_thread(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "LOOK_S", 600.0)  # no thread looks at it before the request
    service = serve()
    (worker,) = service.pool._workers
    assert worker._child is not None
    worker._child.end()

    (result,) = service.ask("a")

    assert result.status == "success"
    assert service.reported_in["a"] != HERE


def test_an_error_of_a_step_is_raised_where_it_is_continued() -> None:
    left: list[DirectRun] = []
    pace = Pace(may_wait=False)

    def steps() -> Iterator[Pause]:
        raise OSError("no more processes")
        yield

    loop = asyncio.new_event_loop()
    run = DirectRun(
        None,  # type: ignore[arg-type]
        loop,
        steps(),
        pace,
        None,
        lambda: left.append(run),
        lambda: left.append(run),
    )
    run.advance()
    loop.close()

    assert left == [run]
    assert not pace.may_wait
    with pytest.raises(OSError, match="no more processes"):
        run.finish()
    assert pace.may_wait
    run.leave()  # it is elsewhere already
    assert left == [run]
