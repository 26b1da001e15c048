"""The answers to a request that came through Redis, to an edge application or an HTTP server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import remove_tree
from alo.serve.redis_queue.queue import ARTIFACTS, SUMMARIES, Queue
from alo.serve.redis_queue.remote_protocol import (
    ANSWER_KEPT_S,
    NOTES,
    RemoteRequest,
    TooLargeError,
    answer_of,
)
from alo.workers.protocol import NO_ARTIFACTS, Failure, Summary
from alo.workers.state_machine import SendFailure


class EdgeAnswers:
    """The ``FrontEnd`` of an edge application: two answers, each to a list of its own.

    Args:
        payload: the request, as it came.
    """

    def __init__(self, queue: Queue, payload: bytes, listener: Listener) -> None:
        self._queue, self._payload, self._listener = queue, payload, listener
        self.summary: Summary | None = None  # the last that was sent
        self.failure: Failure | None = None  # that was sent
        self._is_on_its_way = False  # it has left, and cannot be taken back
        self._is_discarded = False

    def report(self, stage: str) -> None:
        """Publish the stage that the request has reached."""
        self._queue.publish(stage)

    def send_summary(self, summary: Summary) -> None:
        """Push the first answer."""
        self._queue.answer(SUMMARIES, _success(summary))
        self.summary = summary

    def send_artifacts(self, summary: Summary) -> None:
        """Push the last answer, and take the request out of this worker's hands."""
        self._queue.finish(self._payload, [(ARTIFACTS, _success(summary))])

    def send_failure(self, action: SendFailure) -> None:
        """Push a failure in place of the answers that were not sent; the request is done."""
        message = {"status": "fail", "message": action.failure.message}
        was_sent = action.summary_was_sent and not self._is_discarded
        lists = [ARTIFACTS] if was_sent else [SUMMARIES, ARTIFACTS]
        self._fail(action, [(name, message) for name in lists])

    def count_try(self) -> None:
        """Count one more try, in Redis."""
        self._queue.begin()

    def flush(self) -> None:
        """Send what is held back."""
        self._queue.flush()
        self._is_on_its_way = self.summary is not None

    def discard_held(self) -> None:
        """What is held back is not to be sent: making it has failed half-way."""
        self._queue.drop_held()
        self._is_discarded = not self._is_on_its_way

    def release(self) -> None:
        """Remove what was written for the request."""

    def _fail(
        self,
        action: SendFailure,
        answers: Sequence[tuple[str, Mapping[str, object]]],
        also: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.failure = failure = action.failure
        self._listener(warning(f"a request failed with {failure.code}: {failure.comment}"))
        self._queue.publish_failure(failure_message(failure))
        aside = failure.comment if action.put_aside else ""
        self._queue.finish(self._payload, answers, aside=aside, also=also)


class ServerAnswers(EdgeAnswers):
    """The ``FrontEnd`` of a remote HTTP server: one answer, with the output files in it."""

    def __init__(
        self, queue: Queue, payload: bytes, listener: Listener, remote: RemoteRequest
    ) -> None:
        super().__init__(queue, payload, listener)
        self._remote = remote

    def send_summary(self, summary: Summary) -> None:
        """Take note of it; it goes with the last answer."""
        self.summary = summary

    def send_artifacts(self, summary: Summary) -> None:
        """Push the answer, and take the request out of this worker's hands."""
        answer = self._with_files(summary)
        self._queue.finish(self._payload, [(self._remote.answers, answer)], also=self._also)

    def send_failure(self, action: SendFailure) -> None:
        """Push a failure as the answer; the request is done."""
        answer = answer_of(self._remote.id, None, (), action.failure)
        self._fail(action, [(self._remote.answers, answer)], self._also)

    def release(self) -> None:
        """Remove the files that came with the request."""
        if self._remote.folder is not None:
            remove_tree(self._remote.folder)

    def _with_files(self, summary: Summary) -> Mapping[str, object]:
        try:
            return answer_of(
                self._remote.id, summary.content, summary.outputs, None, summary.contents
            )
        except TooLargeError as error:
            comment = str(error)
        except OSError as error:  # an asset has left something running that removed them
            comment = f"the output files cannot be read: {error}"
        return answer_of(self._remote.id, None, (), Failure(*NO_ARTIFACTS, comment))

    @property
    def _also(self) -> Sequence[tuple[str, ...]]:
        """What goes with the answer: the server's note is removed, and no one need come."""
        return (
            ("HDEL", f"{NOTES}{self._remote.server}", self._remote.id),
            ("EXPIRE", self._remote.answers, str(ANSWER_KEPT_S)),
        )


def failure_message(failure: Failure) -> Mapping[str, str]:
    """A failure as the channel of failures has it."""
    return {
        "ERROR_CODE": failure.code,
        "ERROR_NAME": failure.name,
        "COMMENT": failure.comment,
    }


def _success(summary: Summary) -> Mapping[str, object]:
    return {"status": "success", "message": summary.content}
