"""``alo run --loop``: an edge application's requests from Redis, one after the other (spec 9)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from alo.events.log_lines import info, warning
from alo.events.types import Listener, SettingUp
from alo.files import remove_tree
from alo.json_text import is_deeper, json_value
from alo.masking import masked
from alo.serve.redis_queue.health import AWAY, BOOTING, SERVING, Health
from alo.serve.redis_queue.heartbeat import BOOTING as NOT_WARM
from alo.serve.redis_queue.heartbeat import READY, Heartbeat
from alo.serve.redis_queue.queue import ARTIFACTS, SUMMARIES, Queue, Stopped
from alo.serve.redis_queue.remote_protocol import (
    ANSWER_KEPT_S,
    MARK,
    NOTES,
    RemoteRequest,
    TooLarge,
    answer_of,
)
from alo.serve.redis_queue.url import connect
from alo.serve.rollout.follow import Changes
from alo.workers.handle import TimeIsOver, Worker, WorkerDied
from alo.workers.pool import tell
from alo.workers.protocol import (
    ASSET_RUN,
    METADATA_READ,
    NO_ARTIFACTS,
    Failure,
    Request,
    Summary,
    write_failure,
)
from alo.workers.state_machine import (
    Action,
    Desk,
    Done,
    PutAside,
    SendArtifacts,
    SendFailure,
    SendSummary,
    Start,
    Tell,
)

FAULT_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
MOST = 2000  # characters of a fault that a client is sent
LARGE = 1 << 16  # bytes of a request
MOST_DEPTH = 64  # of objects and lists in each other: nothing that a plan can use has more


class Loop:
    """One worker, and its end of the queue.

    Args:
        worker: not started yet.
        name: of the worker; like that of no other one that serves this Redis.
        has_died: as ``Queue`` has it.
        url: of Redis, whole.
        limit_s: seconds that a request may take; None: any.
        changes: told of requests that went well.
        health: told how the loop is.
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
    ) -> None:
        self._worker, self._changes, self._health = worker, changes, health
        self._listener, self._limit_s = listener, limit_s
        self._stopping = threading.Event()
        self._shown_url = masked(url)
        self._queue = Queue(
            connect(url), name, has_died, self._tell_of_redis, self._stopping.is_set
        )
        self._heartbeat = Heartbeat(connect(url), name)
        self._desk = Desk()
        self._remote: RemoteRequest | None = None  # the request in hand, if a door has sent it
        self._outputs: tuple[str, ...] = ()
        self._answered: tuple[Request, Mapping[str, object]] | None = None
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
                self._stopping.wait(FAULT_PAUSE_S)
        self._heartbeat.stop()
        self._queue.leave()

    def _take_next(self) -> None:
        taken = self._queue.take()
        if taken is None:
            return
        try:
            self._handle(*taken)
        except Stopped:
            raise
        except Exception as error:
            self._give_up(taken.payload, error)
        self._health.count()

    def _give_up(self, payload: bytes, error: Exception) -> None:
        """A fault of ours with a request: it is answered, and not tried again."""
        self._queue.drop_held()
        self._queue.begin()
        self._queue.flush()  # counted, should answering it fail as well
        failure = Failure(*ASSET_RUN, f"the loop could not handle the request: {error!r}"[:MOST])
        self._carry_out(payload, self._desk.fail(failure))

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

    def _handle(self, payload: bytes, tries: int) -> None:
        self._queue.begin()
        if tries or len(payload) > LARGE:  # it may be what ends a whole process: counted first
            self._queue.flush()
        self._remote, self._outputs, self._answered = None, (), None
        request = self._request_of(payload)
        if isinstance(request, Failure):
            actions = self._desk.refuse(request)
        else:
            actions = self._desk.take(request, tries)
        waiting = [*actions]
        while waiting:
            waiting = [*self._carry_out(payload, waiting)]
        if self._answered is not None:
            keep = partial(self._changes.went_well, takes_data=self._remote is not None)
            tell("a sample", partial(keep, *self._answered), self._listener)
        if self._remote is not None and self._remote.folder is not None:
            remove_tree(self._remote.folder)

    def _request_of(self, payload: bytes) -> Request | Failure:
        """The request in a payload; it may be one of an HTTP door."""
        content = _parsed(payload)
        if isinstance(content, dict) and MARK in content:
            try:
                self._remote = RemoteRequest(content[MARK])
                return self._remote.request(self._worker.home / "spool")
            except ValueError as error:
                self._remote = None  # it only looks like one
                return Failure(*METADATA_READ, str(error), kind="refused")
            except OSError as error:
                return write_failure("the files of the request", error)
        return _request(content)

    def _carry_out(self, payload: bytes, actions: Sequence[Action]) -> Iterable[Action]:
        """Do these; what they lead to is returned."""
        is_last = any(isinstance(action, Done) for action in actions)
        aside = next((each.reason for each in actions if isinstance(each, PutAside)), "")
        answers: list[tuple[str, Mapping[str, object]]] = []
        for action in actions:
            match action:
                case Start():
                    return self._run(payload, action.request)
                case Tell():
                    self._queue.publish(action.status)
                case SendSummary() if self._remote is not None:
                    self._outputs = action.summary.outputs
                case SendSummary():
                    self._queue.answer(SUMMARIES, _success(action.summary))
                case SendArtifacts() | SendFailure() if self._remote is not None:
                    answers.append((self._remote.answers, self._remote_answer(action)))
                case SendArtifacts():
                    answers.append((ARTIFACTS, _success(action.summary)))
                case SendFailure():
                    self._tell_failure(action.failure)
                    message = {"status": "fail", "message": action.failure.message}
                    lists = [ARTIFACTS] if action.summary_was_sent else [SUMMARIES, ARTIFACTS]
                    answers += [(name, message) for name in lists]
                case _:
                    continue
        if is_last:
            self._queue.finish(payload, answers, aside=aside, also=self._of_remote())
        return ()

    def _of_remote(self) -> Sequence[tuple[str, ...]]:
        """What goes with the answer to a server: its note is taken away, and no one need come."""
        if self._remote is None:
            return ()
        return (
            ("HDEL", f"{NOTES}{self._remote.door}", self._remote.id),
            ("EXPIRE", self._remote.answers, str(ANSWER_KEPT_S)),
        )

    def _remote_answer(self, action: SendArtifacts | SendFailure) -> Mapping[str, object]:
        request_id = self._remote.id if self._remote else ""
        if isinstance(action, SendFailure):
            self._tell_failure(action.failure)
            return answer_of(request_id, None, (), action.failure)
        try:
            return answer_of(request_id, action.summary.content, self._outputs, None)
        except TooLarge as error:
            failure = Failure(*NO_ARTIFACTS, str(error))
            return answer_of(request_id, None, (), failure)
        except OSError as error:  # an asset has left something running that removed them
            failure = Failure(*NO_ARTIFACTS, f"the output files cannot be read: {error}")
            return answer_of(request_id, None, (), failure)

    def _run(self, payload: bytes, request: Request) -> Iterable[Action]:
        try:
            for news in self._worker.run(request, self._limit_s, self._queue.flush):
                self._carry_out(payload, self._desk.hear(news))
                if isinstance(news, Summary):
                    self._answered = request, news.content
        except WorkerDied as died:
            self._queue.begin()
            return self._desk.worker_died(str(died))
        except TimeIsOver as over:
            return self._desk.time_is_over(str(over))
        return ()

    def _tell_failure(self, failure: Failure) -> None:
        self._listener(warning(f"a request failed with {failure.code}: {failure.comment}"))
        told = {
            "ERROR_CODE": failure.code,
            "ERROR_NAME": failure.name,
            "COMMENT": failure.comment,
        }
        self._queue.publish_failure(told)

    def _tell_of_redis(self, text: str) -> None:
        is_back = text.endswith("back")
        self._health.be(SERVING if is_back else AWAY)
        self._listener(info(text) if is_back else warning(f"{text}: {self._shown_url}"))
        if is_back:
            self._listener(SettingUp(text))


def _success(summary: Summary) -> Mapping[str, object]:
    return {"status": "success", "message": summary.content}


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
    if is_deeper(metadata, MOST_DEPTH):
        comment = f"the request has more than {MOST_DEPTH} objects and lists in each other"
        return Failure(*METADATA_READ, comment, kind="refused")
    if not isinstance(metadata, dict):
        comment = 'the request is not an object of the form {"solution_metadata": {...}}'
        return Failure(*METADATA_READ, comment, kind="refused")
    return Request(os.urandom(4).hex(), metadata)
