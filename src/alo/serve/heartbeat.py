"""A worker's sign of life in Redis: a key that expires, by the clock of Redis alone.

It is given by a thread of its own, for as long as the worker serves: a request may take long, and
so may the boot of a new process, and no one is to take the request over meanwhile.
"""

from __future__ import annotations

import threading
from typing import Any

ALIVE = "request_inference:alive:"
ALIVE_S = 30
BEAT_S = 5.0
AGAIN_S = 1.0  # after one that did not come through


class Heartbeat:
    """That of one worker.

    Args:
        client: a connection to Redis for it alone.
    """

    def __init__(self, client: Any, worker: str) -> None:
        self._redis, self._key = client, f"{ALIVE}{worker}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alo-alive", daemon=True)

    def start(self) -> None:
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        is_heard = True
        while not self._ended.wait(BEAT_S if is_heard else AGAIN_S):
            is_heard = self._beat()

    def _beat(self) -> bool:
        try:
            self._redis.set(self._key, b"1", ex=ALIVE_S)
        except Exception:  # whatever is wrong with Redis: the next one may come through
            return False
        return True
