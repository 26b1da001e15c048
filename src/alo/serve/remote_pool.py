"""In the place of a pool: the loops that serve one Redis, on this machine or on others."""

from __future__ import annotations

import json
import os
import threading
import time
from functools import partial
from typing import Any

from alo.engine.messages import warning
from alo.events import Listener
from alo.serve.heartbeat import ALIVE
from alo.serve.messages import ASSET_RUN, Failure, write_failure
from alo.serve.pool import Full, Result, Ticket, tell
from alo.serve.redis_faults import passes
from alo.serve.redis_lists import FIRST_PAUSE_S, LONGEST_PAUSE_S, REQUESTS
from alo.serve.redis_url import connect
from alo.serve.remote_requests import ANSWERS, result_of, to_payload

LOOK_S = 1.0
SLACK_S = 30.0  # beyond the time limit, for the loop's own answer that it was reached


class RemotePool:
    """Hands requests to a Redis, and takes the answers.

    Args:
        url: of Redis, whole.
        limit_s: seconds after which an answer is not waited for any more; None: for ever.
        most: requests that may be under way.
    """

    def __init__(self, url: str, limit_s: float | None, most: int, listener: Listener) -> None:
        self._url, self._limit_s, self._most, self._listener = url, limit_s, most, listener
        self._door = os.urandom(8).hex()
        self._redis: Any = connect(url)
        self._tickets: dict[str, tuple[Ticket, float]] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, name="alo-answers", daemon=True)
        self._is_ready, self._looked = False, 0.0
        self.model_id = "of the loops"

    @property
    def waiting(self) -> int:
        """Requests that no answer has come to."""
        return len(self._tickets)

    @property
    def is_ready(self) -> bool:
        """Whether any loop serves that Redis; a yes is good for a second."""
        if not self._is_ready or time.monotonic() > self._looked + LOOK_S:
            self._looked = time.monotonic()
            try:
                self._is_ready = (
                    next(self._redis.scan_iter(f"{ALIVE}*", count=100), None) is not None
                )
            except Exception:  # whatever is wrong with Redis: it is not ready
                self._is_ready = False
        return self._is_ready

    def start(self) -> None:
        self._thread.start()

    def submit(self, ticket: Ticket, *, always: bool = False) -> None:
        """Hand a request over.

        Raises:
            Full: as many are under way as may be.
            OSError: its files cannot be read, or the door cannot note it.
        """
        if not always and self.waiting >= self._most:
            raise Full
        payload = to_payload(ticket.request, self._door)
        ticket.started()
        with self._lock:
            self._tickets[ticket.request.id] = (ticket, time.monotonic())
        threading.Thread(target=self._push, args=(payload,), daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _push(self, payload: bytes) -> None:
        self._again(lambda: self._redis.rpush(REQUESTS, payload))

    def _read(self) -> None:
        name = f"{ANSWERS}{self._door}"
        while not self._ended.is_set():
            found = self._again(lambda: self._redis.blpop(name, 1))
            if found:
                self._take(found[1])
            self._give_up_late()

    def _take(self, payload: bytes) -> None:
        try:
            content = json.loads(payload)
            request_id = str(content["id"])
        except (ValueError, KeyError, TypeError) as error:
            self._listener(warning(f"what has come is no answer of a loop: {error}"))
            return
        with self._lock:
            ticket, began = self._tickets.pop(request_id, (None, 0.0))
        if ticket is None:
            return
        seconds = time.monotonic() - began
        try:
            result = result_of(content, ticket.outputs, seconds)
        except OSError as error:
            failure = write_failure("the output files", error)
            result = Result(request_id, None, (), failure, seconds)
        except (KeyError, TypeError, ValueError) as error:
            failure = Failure(*ASSET_RUN, f"the loop's answer makes no sense: {error}", kind="died")
            result = Result(request_id, None, (), failure, seconds)
        self._end(ticket, result)

    def _give_up_late(self) -> None:
        if self._limit_s is None:
            return
        before = time.monotonic() - self._limit_s - SLACK_S
        with self._lock:
            late = [key for key, (_, began) in self._tickets.items() if began < before]
            tickets = [self._tickets.pop(key) for key in late]
        for ticket, began in tickets:
            comment = f"no loop has answered within {self._limit_s:g} s"
            failure = Failure(*ASSET_RUN, comment, kind="timeout")
            seconds = time.monotonic() - began
            result = Result(ticket.request.id, None, (), failure, seconds)
            self._end(ticket, result)

    def _end(self, ticket: Ticket, result: Result) -> None:
        tell("a result", partial(ticket.done, result), self._listener)
        tell("a request's folder", ticket.released, self._listener)

    def _again(self, work: Any) -> Any:
        """Do it, and again for as long as Redis is away; nothing where the door closes."""
        from redis.exceptions import RedisError

        pause, is_told = FIRST_PAUSE_S, False
        while not self._ended.is_set():
            try:
                return work()
            except RedisError as error:
                if not is_told:
                    is_told = True
                    what = "is away" if passes(error) else "refuses"
                    self._listener(warning(f"Redis {what} ({error}); waiting for it"))
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
        return None
