"""``alo run --loop``: an edge application's requests from Redis, one after the other (spec 9)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from alo.engine.messages import info, warning
from alo.events import Listener, SettingUp
from alo.files import remove_tree
from alo.masking import masked
from alo.serve.changes import Changes
from alo.serve.core import (
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
from alo.serve.crew import TimeIsOver, Worker, WorkerDied
from alo.serve.health import AWAY, SERVING, Health
from alo.serve.heartbeat import Heartbeat
from alo.serve.messages import (
    METADATA_READ,
    NO_ARTIFACTS,
    Failure,
    Request,
    Summary,
    write_failure,
)
from alo.serve.pool import tell
from alo.serve.redis_lists import ARTIFACTS, SUMMARIES, Queue, Stopped
from alo.serve.redis_url import connect
from alo.serve.remote_requests import MARK, RemoteRequest, answer_of


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

    def stop(self) -> None:
        """End after the request in hand."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until ``stop``.

        Raises:
            ServeError: the pipeline cannot be warmed up.
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
        self._queue.publish("waiting")
        self._health.be(SERVING)
        while not self._stopping.is_set():
            taken = self._queue.take()
            if taken is not None:
                self._handle(*taken)
                self._health.count()
        self._heartbeat.stop()
        self._queue.leave()

    def _handle(self, payload: bytes, tries: int) -> None:
        self._queue.begin()
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
            self._queue.finish(payload, answers, aside=aside)
        return ()

    def _remote_answer(self, action: SendArtifacts | SendFailure) -> Mapping[str, object]:
        request_id = self._remote.id if self._remote else ""
        if isinstance(action, SendFailure):
            self._tell_failure(action.failure)
            return answer_of(request_id, None, (), action.failure)
        try:
            return answer_of(request_id, action.summary.content, self._outputs, None)
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
        return json.loads(payload.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        return error


def _request(content: object) -> Request | Failure:
    """The request of an edge application; or why it is none."""
    if isinstance(content, Exception):
        return Failure(*METADATA_READ, f"the request is not JSON: {content}", kind="refused")
    metadata = content.get("solution_metadata") if isinstance(content, dict) else None
    if isinstance(metadata, str):  # as some clients have it, JSON within JSON
        metadata = _parsed(metadata)
    if not isinstance(metadata, dict):
        comment = 'the request is not an object of the form {"solution_metadata": {...}}'
        return Failure(*METADATA_READ, comment, kind="refused")
    return Request(os.urandom(4).hex(), metadata)
