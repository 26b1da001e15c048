"""A request in a queue in memory: who waits for it, and what came of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alo.copies import copy_content
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.workers.protocol import (
    ASSET_RUN,
    NO_ARTIFACTS,
    NO_FILES,
    Failure,
    Files,
    Request,
    Summary,
    write_failure,
)
from alo.workers.state_machine import SendFailure

if TYPE_CHECKING:
    import asyncio


class Result(NamedTuple):
    """What came of a request."""

    id: str
    summary: Mapping[str, object] | None  # None if it failed
    outputs: tuple[str, ...]  # file names in the request's folder of outputs
    failure: Failure | None
    seconds: float  # from taking it out of the queue
    size: int = 0  # bytes of the output files
    contents: Files = NO_FILES  # of the output files, where they are small: they are in no folder

    @property
    def status(self) -> str:
        """Success or fail."""
        return "fail" if self.failure else "success"


def do_nothing(*of_request: object) -> None:
    """For a ticket with nothing to do when it begins, or is released; for who watches none."""


class Ticket(NamedTuple):
    """A request in the queue."""

    request: Request
    outputs: Path  # a folder that does not exist yet, for its output files
    started: Callable[[], object]
    done: Callable[[Result], object]
    released: Callable[[], object] = do_nothing  # its data is not needed any more
    is_stored: bool = False  # beyond the life of this service: no client waits for it
    # Where its callbacks do not wait, it may be run in the event loop that it was submitted in.
    loop: asyncio.AbstractEventLoop | None = None


def notify(what: str, call: Callable[[], object], listener: Listener) -> None:
    """Call back a front end; where that fails, as on a full disk, requests are served all the same.

    Args:
        what: the front end stores then, for the warning.
    """
    try:
        call()
    except Exception as error:
        listener(warning(f"{what} could not be kept: {error}"))


class TicketAnswer:
    """The ``FrontEnd`` of a ticket: there is one answer, once all of it is known.

    Args:
        most_output: bytes of output that the request may leave.
    """

    def __init__(self, ticket: Ticket, most_output: int, listener: Listener) -> None:
        self._ticket, self._most_output, self._listener = ticket, most_output, listener
        self._began = time.monotonic()
        self._result: Result | None = None

    @property
    def result(self) -> Result:
        """What came of it; there always is something."""
        return self._result or self._failed(Failure(*ASSET_RUN, "no result", kind="died"))

    def report(self, stage: str) -> None:
        """No one asks for the stage of a request."""

    def send_summary(self, summary: Summary) -> None:
        """Take the result, and the output files before the worker's next request removes them."""
        contents, names = summary.contents, tuple(map(os.path.basename, summary.outputs))
        try:
            if contents is None:
                size = sum(map(os.path.getsize, summary.outputs))
            else:
                size = sum(map(len, contents.values()))
            if size > self._most_output:
                what = f"the output has {size / 1e6:,.1f} MB, more than --max-output allows"
                self.fail(Failure(*NO_ARTIFACTS, what, kind="output"))
                return
            if contents is None:
                self._copy(summary.outputs)
            elif self._ticket.is_stored:
                self._write(contents)
                contents = None
        except OSError as error:
            self.fail(write_failure("the output files", error))
        else:
            self._result = Result(
                self._ticket.request.id,
                summary.content,
                names,
                None,
                self._seconds(),
                size,
                contents or NO_FILES,
            )

    def send_artifacts(self, summary: Summary) -> None:
        """Note how long all of it has taken."""
        if self._result is not None:
            self._result = self._result._replace(seconds=self._seconds())

    def send_failure(self, action: SendFailure) -> None:
        """Take a failure, in place of any result."""
        self.fail(action.failure)

    def count_try(self) -> None:
        """Tries end with this process."""

    def flush(self) -> None:
        """Nothing is held back."""

    def fail(self, failure: Failure) -> None:
        """Answer it with a failure."""
        if failure.kind not in ("refused", "data"):
            self._listener(warning(f"[{self._ticket.request.id}] {failure.comment}"))
        self._result = self._failed(failure)

    def _failed(self, failure: Failure) -> Result:
        return Result(self._ticket.request.id, None, (), failure, self._seconds())

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _write(self, contents: Files) -> None:
        folder = self._ticket.outputs
        os.makedirs(folder, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)

    def _copy(self, paths: Sequence[str]) -> None:
        folder = self._ticket.outputs
        os.makedirs(folder, exist_ok=True)
        for path in paths:
            copy_content(path, f"{folder}/{os.path.basename(path)}")
