"""What a worker has in hand is counted, and nothing of it is lost, whatever becomes of Redis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

import pytest

from alo.errors import ServeError
from alo.serve.redis_queue import queue as redis_lists
from alo.serve.redis_queue.heartbeat import ALIVE
from alo.serve.redis_queue.queue import (
    ARTIFACTS,
    DEAD,
    FAIL_CHANNEL,
    PROCESSING,
    REQUESTS,
    STATUS_CHANNEL,
    SUMMARIES,
    TRIES,
    Queue,
    Stopped,
    send_whole,
)
from alo.serve.redis_queue.url import connect

from ...support.waiting import wait_until
from ..conftest import RedisServer

Make = Callable[..., Queue]


@pytest.fixture
def said() -> list[str]:
    """What queues have reported."""
    return []


@pytest.fixture
def make(redis_server: RedisServer, said: list[str]) -> Iterator[Make]:
    """The end of a worker: of ``w``, unless it is named; it is not to end."""
    with ExitStack() as ended:

        def made(name: str = "w", is_stopping: bool = False, url: str = redis_server.url) -> Queue:
            client = connect(url)
            ended.callback(client.connection_pool.disconnect)
            return Queue(client, name, lambda name: False, said.append, lambda: is_stopping)

        yield made


@pytest.mark.parametrize(("list_", "count"), [(REQUESTS, None), (f"{PROCESSING}w", b"1")])
def test_a_request_that_was_in_hand_before_is_counted_before_anything_is_done_with_it(
    redis_server: RedisServer, list_: str, count: bytes | None
) -> None:
    """Its last try may have ended the whole loop sooner than that could be counted."""
    queue = Queue(connect(redis_server.url), "w", lambda name: False, print, lambda: True)
    redis_server.client.rpush(list_, b"request")

    queue.take()
    queue.begin()

    assert redis_server.client.get(f"{TRIES}w") == count


def published(client: Any, during: Callable[[], object], *channels: str) -> list[str]:
    """What comes on these channels while something is done, to the status that ends a request."""
    found = list[str]()
    with client.pubsub() as heard:
        heard.subscribe(*channels)
        for _ in channels:
            wait_until(lambda: heard.get_message(timeout=0.1))
        during()
        while "waiting" not in found:
            message: Any = wait_until(lambda: heard.get_message(timeout=0.1))
            found.append(message["data"].decode())
    return found


def test_answers_and_what_is_published_go_out_with_the_last_of_them(
    make: Make, redis_server: RedisServer
) -> None:
    client, queue = redis_server.client, make()
    client.rpush(REQUESTS, b"request")
    taken = queue.take()
    assert taken is not None
    assert client.lrange(f"{PROCESSING}w", 0, -1) == [b"request"]

    queue.begin()
    queue.publish("run")
    queue.publish_failure({"ERROR_CODE": "E152"})
    queue.answer(SUMMARIES, {"status": "success"})
    assert client.llen(SUMMARIES) == 0
    last = partial(queue.finish, taken.payload, [(ARTIFACTS, {"status": "fail"})])
    messages = published(client, last, STATUS_CHANNEL, FAIL_CHANNEL)

    assert [client.llen(name) for name in (SUMMARIES, ARTIFACTS)] == [1, 1]
    assert client.keys(f"{REQUESTS}*") == []
    assert messages == ["run", '{"ERROR_CODE": "E152"}', "waiting"]


def test_a_request_that_is_put_aside_keeps_its_text_and_says_why(
    make: Make, redis_server: RedisServer
) -> None:
    queue = make()
    redis_server.client.rpush(REQUESTS, b"\xff request")
    taken = queue.take()
    assert taken is not None

    queue.finish(taken.payload, [], aside="it killed its worker")

    (text,) = redis_server.client.lrange(DEAD, 0, -1)
    letter = json.loads(text)
    assert (letter["reason"], letter["request"]) == ("it killed its worker", "\ufffd request")
    assert letter["time"].endswith("Z")


def test_what_is_dropped_is_not_sent(make: Make, redis_server: RedisServer) -> None:
    queue = make()
    queue.answer(SUMMARIES, {"status": "success"})

    queue.drop_held()
    queue.flush()

    assert redis_server.client.llen(SUMMARIES) == 0


def test_an_empty_queue_gives_nothing_and_a_worker_that_ends_is_not_alive(
    make: Make, redis_server: RedisServer
) -> None:
    redis_server.client.set(f"{ALIVE}w", b"1")
    queue = make()

    assert queue.take() is None
    queue.leave()

    assert redis_server.client.keys("*") == []


def test_a_worker_that_is_missing_for_two_looks_is_followed_with_its_count(
    make: Make, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_lists, "LOOK_S", 0)
    client, queue = redis_server.client, make()
    client.rpush(f"{PROCESSING}gone", b"left", b"and this")
    client.set(f"{TRIES}gone", 1)
    client.rpush(f"{PROCESSING}there", b"its own")
    client.set(f"{ALIVE}there", b"1")

    first, second = queue.take(), queue.take()

    assert first is None
    assert second == (b"left", 1)
    assert client.get(f"{TRIES}gone") is None
    assert client.lrange(f"{PROCESSING}there", 0, -1) == [b"its own"]
    queue.finish(b"left", [])
    assert queue.take() == (b"and this", 0)  # its count was of the other one


def test_others_are_looked_at_now_and_then_only(make: Make, redis_server: RedisServer) -> None:
    queue = make()
    queue.take()
    redis_server.client.rpush(f"{PROCESSING}gone", b"left")

    for _ in range(2):
        assert queue.take() is None

    assert redis_server.client.llen(f"{PROCESSING}gone") == 1


def test_a_redis_that_refuses_from_the_beginning_is_an_error(
    make: Make, redis_server: RedisServer
) -> None:
    redis_server.client.acl_setuser("nobody", enabled=True, nopass=True, commands=["-@all"])
    queue = make(url=redis_server.url.replace("127", "nobody:x@127"))
    queue.publish("booting")

    with pytest.raises(ServeError, match="Redis refuses"):
        queue.flush()


@pytest.mark.parametrize(("is_refusal", "words"), [(True, "refuses"), (False, "is away")])
def test_a_redis_that_has_served_before_is_waited_for_and_what_is_held_goes_out_then(
    make: Make, redis_server: RedisServer, said: list[str], is_refusal: bool, words: str
) -> None:
    client, queue = redis_server.client, make()
    queue.take()
    queue.answer(SUMMARIES, {"status": "success"})
    if is_refusal:
        client.set(SUMMARIES, "no list")
    else:
        client.config_set("maxmemory", "1")

    def mend(text: str) -> None:
        said.append(text)
        if len(said) == 1:
            client.config_set("maxmemory", "0")
            client.delete(SUMMARIES)

    queue._report = mend
    queue.flush()

    assert client.lrange(SUMMARIES, 0, -1) == [b'{"status": "success"}']
    assert [words in said[0], said[1]] == [True, "Redis is back"]
    assert not queue.is_away


def test_a_redis_that_is_away_is_not_waited_for_by_who_is_to_end(
    make: Make, redis_server: RedisServer
) -> None:
    queue = make(is_stopping=True)
    queue.take()
    redis_server.kill()

    with pytest.raises(Stopped):
        queue.take()


def test_who_may_run_no_scripts_sends_all_in_one_transaction(
    redis_server: RedisServer, make: Make
) -> None:
    redis_server.client.acl_setuser(
        "plain", enabled=True, nopass=True, commands=["+@all", "-@scripting"], keys=["*"]
    )

    with closing(connect(redis_server.url.replace("127", "plain:x@127"))) as client:
        send_whole(client, [("RPUSH", "a", "1"), ("RPUSH", "b", "2")])

    assert [redis_server.client.lrange(name, 0, -1) for name in "ab"] == [[b"1"], [b"2"]]


def test_a_count_that_cannot_be_read_for_now_is_read_later(
    make: Make, redis_server: RedisServer, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ResponseError

    queue = make()
    redis_server.client.rpush(f"{PROCESSING}w", b"request")
    redis_server.client.set(f"{TRIES}w", 1)
    get, failures = queue._redis.get, [ResponseError("LOADING Redis is loading the dataset")]

    def loading(key: str) -> Any:
        if failures:
            raise failures.pop()
        return get(key)

    monkeypatch.setattr(queue._redis, "get", loading)

    assert queue.take() == (b"request", 1)
    assert "Redis is back" in said


def test_a_failure_of_the_script_itself_is_no_reason_to_go_without_it(
    redis_server: RedisServer,
) -> None:
    from redis.exceptions import ResponseError

    redis_server.client.set("a", "no list")

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        send_whole(redis_server.client, [("RPUSH", "b", "1"), ("RPUSH", "a", "1")])

    assert redis_server.client.exists("b") == 0
