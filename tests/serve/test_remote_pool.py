"""What an HTTP door makes of the answers of loops, whatever they are."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.events import Event, LogLine
from alo.serve.messages import Request
from alo.serve.pool import Result, Ticket
from alo.serve.remote_pool import RemotePool
from alo.serve.remote_requests import RemoteRequest

from .conftest import RedisServer


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def pool(redis_server: RedisServer, events: list[Event]) -> Iterator[RemotePool]:
    pool = RemotePool(redis_server.url, None, 10, events.append)
    pool.start()
    yield pool
    pool.stop()


def test_answers_that_make_no_sense_cost_only_their_own_request(
    pool: RemotePool, redis_server: RedisServer, events: list[Event], tmp_path: Path
) -> None:
    results: queue.Queue[Result] = queue.Queue()
    for name in ("a", "b", "c", "d"):
        done = results.put if name != "c" else lambda result: 1 / 0
        pool.submit(Ticket(Request(name), tmp_path / name, lambda: None, done))
    good = {"summary": {"result": "fine"}, "outputs": [], "failure": None}
    outside = {"name": "../x", "content": ""}
    answers = [
        "no json",
        json.dumps(["a"]),
        json.dumps({"id": "a"}),
        json.dumps({**good, "id": "b", "outputs": [outside]}),
        json.dumps({**good, "id": "c"}),
        json.dumps({**good, "id": "d"}),
    ]

    redis_server.client.rpush(f"alo_answers:{pool._door}", *answers)
    taken = [results.get(timeout=30) for _ in range(3)]

    assert [(result.id, result.status) for result in taken] == [
        ("a", "fail"),
        ("b", "fail"),
        ("d", "success"),
    ]
    assert not (tmp_path / "x").exists()
    assert pool.waiting == 0
    texts = " ".join(event.text for event in events if isinstance(event, LogLine))
    assert texts.count("no answer of a loop") == 2
    assert "a result could not be kept" in texts


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"id": "../x", "door": "d", "args": {}, "files": []},
        {"id": "x", "door": "d", "args": [], "files": []},
        {"id": "x", "door": "d", "args": {"step": 1}, "files": []},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "a", "content": 5}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "a", "content": "é"}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": "../a", "content": ""}]},
        {"id": "x", "door": "d", "args": {}, "files": [{"name": 7, "content": ""}]},
    ],
)
def test_a_request_of_another_form_is_refused_and_writes_nothing(
    tmp_path: Path, content: object
) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        RemoteRequest(content).request(tmp_path / "spool")

    assert not (tmp_path / "spool").exists()
