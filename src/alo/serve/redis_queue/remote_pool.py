"""In the place of a pool: the loops that serve one Redis, on this machine or on others.

A request is noted in a hash of this server's, in one transaction with its way into the queue; the
loop that answers it takes the note away, in one transaction with the answer. A note that is gone
without an answer means that Redis has lost the request, which is then sent again. An answer is
read where it is, not popped, and acknowledged once it is taken.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, TypeVar

from alo.events.log_lines import info, warning
from alo.events.types import Listener
from alo.json_text import json_value
from alo.serve.redis_queue.faults import passes
from alo.serve.redis_queue.heartbeat import any_ready
from alo.serve.redis_queue.queue import FIRST_PAUSE_S, LONGEST_PAUSE_S, REQUESTS
from alo.serve.redis_queue.remote_protocol import (
    ANSWER_KEPT_S,
    ANSWERS,
    NOTES,
    TooLargeError,
    check_size,
    files_of,
    result_of,
    to_payload,
)
from alo.serve.redis_queue.url import connect
from alo.workers.pool import ENDING, NotReadyError, QueueFullError
from alo.workers.protocol import ASSET_RUN, Failure, Saw, write_failure
from alo.workers.ticket import Result, Ticket, do_nothing, notify

T = TypeVar("T")

LOOK_S = 1.0  # at whether loops are there, and at what Redis has
STALE_S = 4.0  # a look that is older says nothing
SLACK_S = 30.0  # beyond the time limit, for the loop's own answer that it was reached
SILENCE_S = 3600.0  # without any loop alive: a request without a time limit is given up
END_S = 5.0  # without any loop alive, once the server is to end: nothing is waited for any more
UNHEARD = 2  # looks at which a note is gone and no answer there, before it is sent again


class Sent(NamedTuple):
    """A request that loops have to answer."""

    ticket: Ticket
    began: float  # monotonic


class RemotePool:
    """Hands requests to a Redis, and takes the answers.

    Args:
        url: of Redis, whole.
        limit_s: seconds after which an answer is not waited for any more; None: an hour without
            any loop alive.
        most: requests that may be under way.
        saw: called for each request that no loop has answered.
    """

    def __init__(
        self, url: str, limit_s: float | None, most: int, listener: Listener, saw: Saw = do_nothing
    ) -> None:
        self._saw = saw
        self._limit_s, self._most, self._listener = limit_s, most, listener
        name = os.urandom(8).hex()
        self._name, self._answers, self._notes = name, f"{ANSWERS}{name}", f"{NOTES}{name}"
        self._reader, self._sender, self._looker = (connect(url) for _ in range(3))
        self._sent: dict[str, Sent] = {}
        self._unheard: dict[str, int] = {}  # by request: looks at which it was nowhere
        self._lock = threading.Lock()
        self._to_send: queue.Queue[str | None] = queue.Queue()
        self._ending, self._ended = threading.Event(), threading.Event()
        self._ready_at = self._loops_at = self._ending_at = float("-inf")
        works = (self._read, self._send_all, self._look_on)
        self._threads = [
            threading.Thread(target=self._keep_on, args=(work,), daemon=True) for work in works
        ]
        self.model_id = "of the loops"

    @property
    def waiting(self) -> int:
        """Requests that no answer has come to."""
        return len(self._sent)

    @property
    def is_ready(self) -> bool:
        """Whether a loop has just said that it takes requests; Redis is not asked for it now."""
        return not self._ending.is_set() and time.monotonic() < self._ready_at + STALE_S

    @property
    def is_drained(self) -> bool:
        """Whether all that is under way when it is to end is answered, or may be left."""
        with self._lock:
            return all(sent.ticket.is_stored for sent in self._sent.values())

    def start(self) -> None:
        """Begin to send requests and to take answers, each in a thread."""
        self._loops_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def submit(self, ticket: Ticket, *, always: bool = False) -> None:
        """Hand a request over.

        Raises:
            QueueFullError: as many are under way as may be.
            NotReadyError: this server is about to end.
            TooLargeError: its files are more than a message may hold.
            OSError: its files cannot be read, or it cannot be noted.
        """
        if not always and self._ending.is_set():
            raise NotReadyError(ENDING)
        if not always and self.waiting >= self._most:
            raise QueueFullError
        check_size("the request's data", files_of(ticket.request))
        ticket.started()
        with self._lock:
            self._sent[ticket.request.id] = Sent(ticket, time.monotonic())
        self._to_send.put(ticket.request.id)

    def end_soon(self) -> None:
        """Take no more requests; those that a loop has in hand are answered."""
        self._ending_at = time.monotonic()
        self._ending.set()

    def stop(self) -> None:
        """End the threads; one that waits for a Redis that hangs is left behind."""
        self._ending.set()
        self._ended.set()
        self._to_send.put(None)
        for thread in self._threads:
            thread.join(2 * LOOK_S)  # a Redis that hangs is not waited for

    def _keep_on(self, work: Callable[[], object]) -> None:
        """Do a work again and again; whatever goes wrong with one request costs that one."""
        while not self._ended.is_set():
            try:
                work()
            except Exception as error:  # the last net
                self._listener(warning(f"requests continue after a fault: {error!r}"))
                self._ended.wait(LOOK_S)

    def _send_all(self) -> None:
        request_id = self._to_send.get()
        if request_id is None:
            return
        with self._lock:
            sent = self._sent.get(request_id)
        if sent is None:
            return
        try:
            payload = to_payload(sent.ticket.request, self._name)
        except (OSError, TooLargeError) as error:
            self._fail(request_id, f"the request's data cannot be sent: {error}", "asset")
        else:
            self._again(partial(self._push, request_id, payload))

    def _push(self, request_id: str, payload: bytes) -> None:
        pipe = self._sender.pipeline(transaction=True)
        pipe.hset(self._notes, request_id, "")
        pipe.expire(self._notes, 2 * ANSWER_KEPT_S)
        pipe.rpush(REQUESTS, payload)
        pipe.execute()

    def _read(self) -> None:
        """Take one answer: it stays in its list, which expires, until it is acknowledged."""
        answers = self._answers
        payload = self._again(lambda: self._reader.blmove(answers, answers, LOOK_S, "LEFT", "LEFT"))
        if payload:
            self._take(payload)
            self._again(lambda: self._reader.lrem(answers, 1, payload))
        self._give_up_late()

    def _take(self, payload: bytes) -> None:
        try:
            content = json_value(payload)
            request_id = str(content["id"])
        except (ValueError, KeyError, TypeError) as error:
            self._listener(warning(f"what has come is no answer of a loop: {error}"))
            return
        sent = self._taken_out(request_id)
        if sent is None:  # the second answer to a request that was sent twice
            return
        seconds = time.monotonic() - sent.began
        try:
            result = result_of(content, sent.ticket.outputs, seconds)
        except OSError as error:
            failure = write_failure("the output files", error)
            result = Result(request_id, None, (), failure, seconds)
        except Exception as error:
            failure = Failure(*ASSET_RUN, f"the loop's answer makes no sense: {error}", kind="died")
            result = Result(request_id, None, (), failure, seconds)
        self._end(sent.ticket, result)

    def _taken_out(self, request_id: str) -> Sent | None:
        with self._lock:
            self._unheard.pop(request_id, None)
            return self._sent.pop(request_id, None)

    def _look_on(self) -> None:
        """See whether loops are there, and whether Redis still has what is under way."""
        self._ended.wait(LOOK_S)
        with suppress(Exception):  # whatever is wrong with Redis: it is not ready
            self._look()
            if self._ending.is_set():
                self._withdraw()
        if self._ending.is_set():
            self._leave_dead_loops()

    def _look(self) -> None:
        with self._lock:
            under_way = set(self._sent)
        is_ready = any_ready(self._looker)
        self._ready_at = time.monotonic() if is_ready else float("-inf")
        self._loops_at = max(self._loops_at, self._ready_at)
        noted = self._noted()
        self._note_lost(under_way - noted)
        for done in noted - under_way:  # of a loop that knows of no notes
            with self._lock:
                is_done = done not in self._sent
            if is_done:
                self._looker.hdel(self._notes, done)

    def _withdraw(self) -> None:
        """Take back what no loop has begun with: a client waits for it no longer than for us."""
        for request_id, sent in self._awaited():
            payload = to_payload(sent.ticket.request, self._name)
            if self._looker.lrem(REQUESTS, 1, payload):
                self._looker.hdel(self._notes, request_id)
                self._fail(request_id, ENDING, "away")

    def _leave_dead_loops(self) -> None:
        if time.monotonic() > max(self._ready_at, self._ending_at) + END_S:
            for request_id, _ in self._awaited():
                self._fail(request_id, f"{ENDING}, and no loop is alive", "away")

    def _awaited(self) -> list[tuple[str, Sent]]:
        """Requests whose clients wait."""
        with self._lock:
            return [each for each in self._sent.items() if not each[1].ticket.is_stored]

    def _noted(self) -> set[str]:
        """What Redis has of the requests under way; it keeps that for as long as we look."""
        pipe = self._looker.pipeline(transaction=True)
        pipe.expire(self._notes, 2 * ANSWER_KEPT_S)
        pipe.hkeys(self._notes)
        return {key.decode() for key in pipe.execute()[1]}

    def _note_lost(self, gone: set[str]) -> None:
        """Send again what is nowhere; an answer that is on its way has a look's time to come."""
        with self._lock:
            counts = {each: self._unheard.get(each, 0) + 1 for each in gone if each in self._sent}
            lost = [each for each, count in counts.items() if count > UNHEARD]
            self._unheard = {each: n for each, n in counts.items() if each not in lost}
        if lost:
            self._listener(warning(f"Redis has lost {len(lost)} request(s): they are sent again"))
        for request_id in lost:
            self._to_send.put(request_id)

    def _give_up_late(self) -> None:
        now = time.monotonic()
        if self._limit_s is not None:
            before = now - self._limit_s - SLACK_S
            comment = f"no loop has answered within {self._limit_s:g} s"
        elif now > self._loops_at + SILENCE_S:
            before, comment = now, f"no loop has been alive for {SILENCE_S / 60:.0f} minutes"
        else:
            return
        with self._lock:
            late = [key for key, sent in self._sent.items() if sent.began < before]
        for request_id in late:
            self._fail(request_id, comment, "timeout")

    def _fail(self, request_id: str, comment: str, kind: str) -> None:
        sent = self._taken_out(request_id)
        if sent is not None:
            failure = Failure(*ASSET_RUN, comment, kind=kind)
            seconds = time.monotonic() - sent.began
            self._end(sent.ticket, Result(request_id, None, (), failure, seconds))
            if kind != "away":  # which it is because this server ends
                self._saw("", None, failure)

    def _end(self, ticket: Ticket, result: Result) -> None:
        notify("a result", partial(ticket.done, result), self._listener)
        notify("a request's folder", ticket.released, self._listener)

    def _again(self, work: Callable[[], T]) -> T | None:
        """Do it, and again for as long as Redis is away; nothing where the server ends."""
        from redis.exceptions import RedisError

        pause, is_told = FIRST_PAUSE_S, False
        while not self._ended.is_set():
            try:
                done = work()
            except RedisError as error:
                if not is_told:
                    is_told = True
                    what = "is away" if passes(error) else "refuses"
                    self._listener(warning(f"Redis {what} ({error}); waiting for it"))
                self._ended.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                if is_told:
                    self._listener(info("Redis is back"))
                return done
        return None
