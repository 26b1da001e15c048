"""``alo run --loop``: an edge application's requests from Redis, one after the other (spec 9)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from functools import partial

from alo.events.log_lines import info, warning
from alo.events.types import Listener, SettingUp
from alo.json_text import MOST_LEVELS, is_deeper, json_value
from alo.masking import masked
from alo.serve.redis_queue.answers import EdgeAnswers, ServerAnswers
from alo.serve.redis_queue.health import AWAY, BOOTING, SERVING, Health
from alo.serve.redis_queue.heartbeat import BOOTING as NOT_WARM
from alo.serve.redis_queue.heartbeat import READY, Heartbeat
from alo.serve.redis_queue.queue import Queue, Stopped
from alo.serve.redis_queue.remote_protocol import MARK, RemoteRequest
from alo.serve.redis_queue.url import connect
from alo.serve.rollout.follow import Changes
from alo.workers.driver import Driver
from alo.workers.handle import Worker
from alo.workers.protocol import ASSET_RUN, METADATA_READ, Failure, Request, Saw, write_failure
from alo.workers.state_machine import MOST_TRIES
from alo.workers.ticket import do_nothing, notify

FAULT_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
MOST = 2000  # characters of a fault that a client is sent
LARGE = 1 << 16  # bytes of a request
UNANSWERABLE = 5 * MOST_TRIES  # tries; only a fault of ours leads to as many


class Consumer:
    """One worker, and its end of the queue.

    Args:
        worker: not started yet.
        name: of the worker; like that of no other one that serves this Redis.
        has_died: as ``Queue`` has it.
        url: of Redis, whole.
        limit_s: seconds that a request may take; None: any.
        changes: the models, and what takes samples of requests.
        health: shows how the loop is.
        saw: called for each request that was run.
    """

    def __init__(
        self,
        worker: Worker,
        name: str,
        has_died: Callable[[str], bool],
        url: str,
        limit_s: float | None,
        changes: Changes,
        health: Health,
        listener: Listener,
        saw: Saw = do_nothing,
    ) -> None:
        self._worker, self._changes, self._health = worker, changes, health
        self._listener, self._limit_s, self._saw = listener, limit_s, saw
        self._stopping = threading.Event()
        self._shown_url = masked(url)
        self._queue = Queue(connect(url), name, has_died, self._report_redis, self._stopping.is_set)
        self._heartbeat = Heartbeat(connect(url), name)
        self._answers: EdgeAnswers  # to the request in hand
        self._driver: Driver  # of that request
        self._trouble, self._boots = "", 0

    def stop(self) -> None:
        """End after the request in hand."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until ``stop``.

        Raises:
            AloError: the pipeline cannot be warmed up, or Redis refuses from the beginning.
        """
        try:
            self._queue.publish("booting")
            self._queue.flush()
            self._worker.start()
            self._changes.booted(self._worker)
            self._heartbeat.start()
            self._listener(SettingUp(f"serving requests from {self._shown_url}"))
            self._serve()
        except Stopped:
            self._listener(warning("ended while Redis was away"))
        finally:
            self._heartbeat.stop()
            self._worker.stop()

    def _serve(self) -> None:
        """Take requests; whatever goes wrong costs one of them."""
        self._queue.publish("waiting")
        self._health.be(SERVING)
        while not self._stopping.is_set():
            try:
                if self._is_warm():
                    self._take_next()
            except Stopped:
                raise
            except Exception as error:  # the last net: this loop serves all later requests too
                self._listener(warning(f"the loop continues after a fault: {error!r}"))
                self._queue.take_up_again()  # what could not be answered is in hand still
                self._stopping.wait(FAULT_PAUSE_S)
        self._heartbeat.stop()
        self._queue.leave()

    def _take_next(self) -> None:
        taken = self._queue.take()
        if taken is None:
            return
        self._answer_with(EdgeAnswers(self._queue, taken.payload, self._listener))
        try:
            self._handle(*taken)
        except Stopped:
            raise
        except Exception as error:
            self._give_up(error)
        notify("a request's folder", self._answers.release, self._listener)
        content = self._answers.summary.content if self._answers.summary else None
        saw = partial(self._saw, self._worker.model_id, content, self._answers.failure)
        notify("what alarms watch", saw, self._listener)
        self._health.count()

    def _handle(self, payload: bytes, tries: int) -> None:
        if tries >= UNANSWERABLE:
            self._queue.finish(payload, [], aside="not even a failure could be answered")
            return
        self._queue.begin()
        if tries or len(payload) > LARGE:  # it may be what ends a whole process: counted first
            self._queue.flush()
        request = self._request_of(payload)
        if isinstance(request, Failure):
            self._driver.fail(request)
            return
        self._driver.run(request, tries)
        if self._answers.summary is not None:
            content, is_remote = self._answers.summary.content, type(self._answers) is ServerAnswers
            keep = partial(self._changes.went_well, request, content, takes_data=is_remote)
            notify("a sample", keep, self._listener)

    def _give_up(self, error: Exception) -> None:
        """A fault of ours with a request: it is answered, and not tried again."""
        self._answers.discard_held()
        self._queue.begin()
        self._queue.flush()  # counted, should answering it fail as well
        what = f"the loop could not handle the request: {error!r}"[:MOST]
        self._driver.fail(Failure(*ASSET_RUN, what))

    def _answer_with(self, answers: EdgeAnswers) -> None:
        """From now on the request in hand is answered this way."""
        self._answers = answers
        self._driver = Driver(self._worker, answers, self._limit_s)

    def _request_of(self, payload: bytes) -> Request | Failure:
        """The request in a payload; it may be one of an HTTP server."""
        content = _parsed(payload)
        if not isinstance(content, dict) or MARK not in content:
            return _request(content)
        try:
            remote = RemoteRequest(content[MARK])
            request: Request | Failure = remote.request(self._worker.home / "spool")
        except ValueError as error:  # it only looks like one
            return Failure(*METADATA_READ, str(error), kind="refused")
        except OSError as error:
            request = write_failure("the files of the request", error)
        self._answer_with(ServerAnswers(self._queue, payload, self._listener, remote))
        return request

    def _is_warm(self) -> bool:
        """See that the worker, which is free, can take a request; it may have died meanwhile."""
        if self._worker.is_warm:
            return True
        self._health.be(BOOTING)
        self._heartbeat.be(NOT_WARM)
        try:
            self._changes.restore(self._worker)
            self._worker.revive()
        except Exception as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                text = f"the worker cannot be started, it is tried again: {error}"
                self._listener(warning(text))
            self._stopping.wait(min(FAULT_PAUSE_S * 2**self._boots, LONGEST_PAUSE_S))
            self._boots += 1
            return False
        self._trouble, self._boots = "", 0
        self._heartbeat.be(READY)
        self._health.be(SERVING)
        return True

    def _report_redis(self, text: str) -> None:
        is_back = text.endswith("back")
        self._health.be(SERVING if is_back else AWAY)
        self._listener(info(text) if is_back else warning(f"{text}: {self._shown_url}"))
        if is_back:
            self._listener(SettingUp(text))


def _parsed(payload: bytes | str) -> object:
    """What a client has sent, or the reason why it is not JSON."""
    try:
        if isinstance(payload, bytes):
            payload = payload.decode(json.detect_encoding(payload))
        return json_value(payload.removeprefix("\ufeff"))
    except ValueError as error:
        return error


def _request(content: object) -> Request | Failure:
    """The request of an edge application; or why it is none."""
    if isinstance(content, Exception):
        return Failure(*METADATA_READ, f"the request is not JSON: {content}", kind="refused")
    metadata = content.get("solution_metadata") if isinstance(content, dict) else None
    if isinstance(metadata, str):  # as some clients have it, JSON within JSON
        metadata = _parsed(metadata)
    if is_deeper(metadata, MOST_LEVELS):
        comment = f"the request has more than {MOST_LEVELS} objects and lists in each other"
        return Failure(*METADATA_READ, comment, kind="refused")
    if not isinstance(metadata, dict):
        comment = 'the request is not an object of the form {"solution_metadata": {...}}'
        return Failure(*METADATA_READ, comment, kind="refused")
    return Request(os.urandom(4).hex(), metadata, takes_outputs=False)
