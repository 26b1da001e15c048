"""What the tests of the queue share: a solution that does as it is asked, requests, a pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.events.types import Event, LogLine
from alo.serve.redis_queue.remote_pool import RemotePool
from alo.workers.protocol import Request
from alo.workers.ticket import Result, Ticket

from ...support.waiting import wait_until
from ..conftest import OUTPUT, Edge, RedisServer

MakeSolution = Callable[..., Path]
KEEP = {"backup_artifacts": False}
ECHO = """
self.data["result"] = str(self.args.get("word", "none"))
"""


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    """A solution whose result is an arg, and that does what another arg says."""
    trouble = """
        import ctypes, os, sys, time
        what = self.args.get("do", "")
        if what == "raise":
            raise ValueError("as was asked")
        if what == "exit":
            sys.exit(3)
        if what == "segfault":
            ctypes.string_at(0)
        if what == "hang":
            time.sleep(600)
        if what == "slow":
            time.sleep(0.3)
        if what == "wait":
            Path(self.args["begun"]).touch()
            while not Path(self.args["gate"]).exists():
                time.sleep(0.01)
        if what == "two tables":
            Path(self.asset.get_output_path(), "other.csv").write_text("a")
    """
    steps = {"input": ECHO, "inference": trouble, "output": OUTPUT}
    return make_solution(inference=steps, control=KEEP)


def next_of(heard: Any) -> str:
    """The next message that is published."""

    def look() -> str:
        message = heard.get_message(timeout=0.1)
        return message["data"].decode() if message and message["type"] == "message" else ""

    return wait_until(look)


def do(what: str) -> dict[str, Any]:
    return {"args": {"inference": {"do": what}}}


def numbered(edge: Edge, count: int, what: str = "") -> None:
    for number in range(count):
        edge.send(args={"input": {"word": f"n{number}"}, "inference": {"do": what}})


def results(edge: Edge, count: int) -> list[str]:
    found = []
    for _ in range(count):
        summary, artifacts = edge.answers()
        assert summary["status"] == artifacts["status"] == "success", summary
        found.append(summary["message"]["result"])
    return found


def all_answered(edge: Edge, count: int) -> None:
    """Take answers until each of so many has come; after a fault one may come twice."""
    missing = {f"n{number}" for number in range(count)}
    while missing:
        missing -= set(results(edge, 1))


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def pool(redis_server: RedisServer, events: list[Event]) -> Iterator[RemotePool]:
    pool = RemotePool(redis_server.url, None, 10, events.append)
    pool.start()
    yield pool
    pool.stop()


def payload_of(server: RedisServer) -> bytes:
    found = server.client.lpop("request_inference")
    assert isinstance(found, bytes)
    return found


def ticket(name: str, folder: Path, done: Callable[[Result], object]) -> Ticket:
    (folder / name / "in").mkdir(parents=True)
    (folder / name / "in" / "data.csv").write_text("a\n1\n")
    request = Request(name, None, (str(folder / name / "in"),))
    return Ticket(request, folder / name / "out", lambda: None, done)


def said(events: list[Event]) -> str:
    return " ".join(event.text for event in events if isinstance(event, LogLine))
