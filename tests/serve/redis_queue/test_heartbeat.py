"""Whether a worker is alive is known by Redis or by its claim, not by a process or a host name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.serve.redis_queue import heartbeat
from alo.serve.redis_queue import queue as redis_lists
from alo.serve.redis_queue.heartbeat import Heartbeat
from alo.serve.redis_queue.queue import Queue

from ...support.waiting import wait_until
from ..conftest import Edge, RedisServer

MakeQueue = Callable[..., Queue]


@pytest.fixture
def make_queue(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> MakeQueue:
    """``make_queue("loop-1-0", dead=["loop-2-0"])``; each call of ``take`` looks at others."""
    monkeypatch.setattr(redis_lists, "LOOK_S", 0)

    def make(name: str, dead: tuple[str, ...] = ()) -> Queue:
        return Queue(redis_server.client, name, dead.__contains__, print, lambda: False)

    return make


def test_a_worker_with_a_sign_of_life_keeps_its_request(
    make_queue: MakeQueue, edge: Edge, redis_server: RedisServer
) -> None:
    edge.redis.rpush("request_inference:processing:loop-a-0", b"its own")
    beats = Heartbeat(redis_server.client, "loop-a-0")
    beats.start()
    other = make_queue("loop-b-0")

    assert [other.take(), other.take()] == [None, None]

    beats.stop()
    other.leave()
    edge.redis.delete("request_inference:alive:loop-a-0")  # as when it expires
    assert other.take() is None  # the first look may come at a bad moment
    taken = other.take()
    assert taken is not None
    assert taken.payload == b"its own"


def test_one_that_is_known_to_have_died_is_followed_at_once(
    make_queue: MakeQueue, edge: Edge, redis_server: RedisServer
) -> None:
    edge.redis.rpush("request_inference:processing:loop-a-0", b"left")
    edge.redis.set("request_inference:tries:loop-a-0", 1)
    Heartbeat(redis_server.client, "loop-a-0")._beat()  # just before

    taken = make_queue("loop-b-0", dead=("loop-a-0",)).take()

    assert taken is not None
    assert taken == (b"left", 1)


def test_signs_are_given_whatever_the_worker_does(
    edge: Edge, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.01)
    beats = Heartbeat(redis_server.client, "loop-a-0")
    beats.start()
    edge.redis.delete("request_inference:alive:loop-a-0")

    wait_until(lambda: edge.redis.exists("request_inference:alive:loop-a-0"))

    assert 0 < edge.redis.ttl("request_inference:alive:loop-a-0") <= heartbeat.ALIVE_S
    beats.stop()


def test_a_redis_that_was_away_has_made_no_one_a_dead_one(
    make_queue: MakeQueue, edge: Edge, redis_server: RedisServer
) -> None:
    edge.redis.rpush("request_inference:processing:loop-a-0", b"its own")
    queue = make_queue("loop-b-0")
    assert queue.take() is None  # one look without a sign of life
    queue.is_away = True
    assert queue.take() is None  # it is back; of others nothing can be known yet
    Heartbeat(redis_server.client, "loop-a-0")._beat()

    assert [queue.take(), queue.take()] == [None, None]
