"""A worker's process: boots the pipeline, then takes requests over its socket, one at a time."""

import select
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alo.engine.isolation.logging_state import level_as_steps_begin
from alo.engine.isolation.only_steps import from_here_on
from alo.engine.spec import Job
from alo.engine.steps.process_main import MessageSender, process_of_ours, show_stacks_in
from alo.errors import AloError, StepError
from alo.events.types import Event, LogLine, Output
from alo.processes.wire import Inbox
from alo.workers.progress import ProgressNote
from alo.workers.protocol import (
    Booted,
    Failure,
    Finished,
    Message,
    Released,
    Request,
    Stage,
    Summary,
)
from alo.workers.warm_pipeline import WarmPipeline

PIECE = 1 << 16


class Boot(NamedTuple):
    """What a worker is started with."""

    job: Job
    home: Path  # of its own workspace
    models: Path
    model_id: str
    stacks: Path
    progress: Path  # of the note that says which request is in hand
    path: tuple[str, ...]  # where modules are found; empty: as the interpreter has it


class BootFailed(NamedTuple):
    """The pipeline cannot be warmed up."""

    what: str
    traceback: str = ""


def main() -> None:
    """Serve until the other side hangs up."""
    with process_of_ours() as connection:
        send, messages = MessageSender(connection), _Messages(connection)
        boot = messages.next(None)
        if not isinstance(boot, Boot):
            return
        note = ProgressNote(boot.progress)  # before anyone knows that it is warm
        if (warm := _booted(boot, send)) is None:
            return
        while (message := messages.next(warm)) is not None:
            if isinstance(message, Request):
                note.begin()
                reporter = _Reporter(message, send, note)
                warm.run(message, reporter)
                if not reporter.is_awaited:  # while its answer is on its way
                    warm.release()
            elif isinstance(message, Released):
                warm.release()
        while warm.run_deferred():
            continue


def _booted(boot: Boot, send: MessageSender) -> WarmPipeline | None:
    """The warm pipeline; None where there is none to be, as the other side has been sent then."""
    sys.path[:] = boot.path or sys.path
    show_stacks_in(boot.stacks)
    from_here_on()
    level_as_steps_begin()  # else each would set it, and have it put back

    def listener(event: Event) -> None:
        is_for_people = isinstance(event, LogLine) and (
            event.source == "USER" or event.level != "INFO"
        )
        if is_for_people or isinstance(event, Output):
            send(event)

    try:
        warm = WarmPipeline(boot.job, boot.home, boot.models, boot.model_id, listener)
    except StepError as error:  # of the asset's module, which may raise anything
        what = f"the assets cannot be imported: {error}"
        send(BootFailed(what, error.user_traceback))
    except AloError as error:
        send(BootFailed(str(error)))
    else:
        send(Booted(warm.model_id))
        return warm
    return None


class _Reporter:
    """Sends the messages about one request, and notes how far it is.

    Each message wakes the front end, which waits for the answer alone where no one follows.
    """

    def __init__(self, request: Request, send: MessageSender, note: ProgressNote) -> None:
        self._is_followed, self._send, self._note = request.is_followed, send, note
        self._takes_outputs = request.takes_outputs
        self.is_awaited = False  # the other side has yet to take the output files

    def __call__(self, messages: Sequence[Message]) -> None:
        stages = [message for message in messages if isinstance(message, Stage)]
        if isinstance(messages[-1], Finished | Failure):
            self._note.end()
        elif stages:  # where it is once they are sent
            self._note.begin(stages[-1].step)
        for message in messages:
            if isinstance(message, Summary):
                self.is_awaited = self._takes_outputs and message.contents is None
        if not self._is_followed:
            messages = [each for each in messages if not isinstance(each, Stage)]
        if messages:
            self._send.send_all(messages)


class _Messages:
    """What comes over the socket; while nothing does, the pipeline does what can wait."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._inbox = connection, Inbox()
        self._here: list[object] = []

    def next(self, warm: WarmPipeline | None) -> object:
        """The next message; None when the other side has hung up."""
        while not self._here:
            if warm is not None and not self._is_ready() and warm.run_deferred():
                continue
            piece = self._connection.recv(PIECE)
            if not piece:
                return None
            self._here += self._inbox.take(piece)
        return self._here.pop(0)

    def _is_ready(self) -> bool:
        return bool(select.select([self._connection], [], [], 0)[0])
