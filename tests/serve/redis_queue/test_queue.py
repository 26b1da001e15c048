"""What a worker has in hand is counted, whatever ends its process."""

from __future__ import annotations

import pytest

from alo.serve.redis_queue.queue import PROCESSING, REQUESTS, TRIES, Queue
from alo.serve.redis_queue.url import connect

from ..conftest import RedisServer


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
