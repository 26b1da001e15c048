"""Requests that were given up, and several people who put them back at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alo.errors import UsageError
from alo.serve.redis_queue.dead_letters import DeadLetters
from alo.serve.redis_queue.queue import DEAD, MOST_DEAD, REQUESTS, Queue

from ..conftest import RedisServer


@pytest.fixture
def client(redis_server: RedisServer) -> Any:
    return redis_server.client


def put_aside(client: Any, *names: str) -> None:
    for name in names:
        client.rpush(DEAD, json.dumps({"time": "", "reason": "it died", "request": name}))


def test_requests_that_are_replayed_by_many_at_once_come_back_once(
    client: Any, redis_server: RedisServer
) -> None:
    names = [f"r{number}" for number in range(200)]
    put_aside(client, *names)
    everyone = [DeadLetters(redis_server.url) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda letters: letters.replay([]), everyone))

    assert sorted(client.lrange(REQUESTS, 0, -1)) == sorted(name.encode() for name in names)
    assert sum(counts) == len(names)
    assert not client.exists(DEAD)


def test_a_number_means_what_it_meant_when_it_was_looked_up(
    client: Any, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_aside(client, "a", "b", "b", "c")
    letters = DeadLetters(redis_server.url)
    texts = letters._texts()
    monkeypatch.setattr(letters, "_texts", lambda: texts)
    client.lpop(DEAD)  # someone else was faster

    assert letters.replay([1]) == 0
    assert letters.drop([2]) == 1
    assert letters.replay([2, 3]) == 1

    assert client.lrange(REQUESTS, 0, -1) == [b"b"]
    assert [letter.request for letter in DeadLetters(redis_server.url).all()] == ["c"]


def test_the_oldest_of_them_give_way(client: Any) -> None:
    put_aside(client, *(str(number) for number in range(MOST_DEAD)))
    queue = Queue(client, "loop-0", lambda name: False, lambda text: None, lambda: False)

    queue.finish(b"new", [], aside="it died")

    assert client.llen(DEAD) == MOST_DEAD
    requests = [json.loads(client.lindex(DEAD, index))["request"] for index in (0, -1)]
    assert requests == ["1", "new"]


def test_a_redis_that_is_away_is_said_with_its_place(redis_server: RedisServer) -> None:
    letters = DeadLetters(redis_server.url.replace("127", ":secret@127"))
    redis_server.kill()

    with pytest.raises(UsageError, match="Redis cannot be asked") as raised:
        letters.all()

    assert str(redis_server.port) in raised.value.where
    assert "secret" not in str(raised.value)


def test_what_no_loop_has_put_there_is_shown_as_it_is_and_can_be_dropped(
    client: Any, redis_server: RedisServer
) -> None:
    client.rpush(DEAD, b"\xff", b"[]")
    letters = DeadLetters(redis_server.url)

    assert [(each.reason, each.request) for each in letters.all()] == [
        ("not put aside by a loop", "\ufffd"),
        ("not put aside by a loop", "[]"),
    ]
    assert letters.drop([]) == 2


def test_a_number_that_is_none_of_theirs_changes_nothing(
    client: Any, redis_server: RedisServer
) -> None:
    put_aside(client, "a")

    with pytest.raises(UsageError, match="no request 2"):
        DeadLetters(redis_server.url).replay([1, 2])

    assert client.llen(DEAD) == 1
