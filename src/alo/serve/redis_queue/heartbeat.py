"""A worker's sign of life in Redis: a key that expires, by the clock of Redis alone.

It is given by a thread of its own, for as long as the worker serves: a request may take long, and
so may the boot of a new process, and no one is to take the request over meanwhile.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

ALIVE = "request_inference:alive:"
ALIVE_S = 30
BEAT_S = 1.0
LATE_S = 3.0  # without a sign of life, a worker takes no requests for now
READY, BOOTING = b"1", b"0"  # what the key holds


class Heartbeat:
    """That of one worker.

    Args:
        client: a connection to Redis for it alone.
    """

    def __init__(self, client: Any, worker: str) -> None:
        self._redis, self._key = client, f"{ALIVE}{worker}"
        self._state = READY
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alo-alive", daemon=True)

    def start(self) -> None:
        """Set the key now, and again and again in a thread of its own."""
        self._beat()
        self._thread.start()

    def be(self, state: bytes) -> None:
        """Say from now on whether the worker can take requests; alive it is in any case."""
        self._state = state

    def stop(self) -> None:
        """Stop renewing the key; it expires by itself."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(BEAT_S):
            self._beat()

    def _beat(self) -> None:
        with suppress(Exception):  # whatever is wrong with Redis: the next one may come through
            self._redis.set(self._key, self._state, ex=ALIVE_S)


def any_ready(client: Any) -> bool:
    """Whether any worker of a Redis has said just now that it can take requests.

    Raises:
        RedisError: it cannot be asked.
    """
    keys = list(client.scan_iter(f"{ALIVE}*", count=1000))
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.get(key)
        pipe.pttl(key)
    found = pipe.execute()
    states = zip(found[::2], found[1::2], strict=True)
    return any(state == READY and left > (ALIVE_S - LATE_S) * 1000 for state, left in states)
