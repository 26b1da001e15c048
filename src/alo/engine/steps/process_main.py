"""The process of one step: takes its task over a socket, runs it, and sends back what happens.

What the step is given and what it saves is in a step store; only small things go over the
socket. The engine's side is in ``process.py``.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from alo.engine.environment import imported_packages, python_version
from alo.engine.isolation.modules import outside_code
from alo.engine.isolation.process_state import values_loadable
from alo.engine.steps.step import run_step
from alo.engine.steps.task import META, FailedStep, StepTask
from alo.errors import StoreError
from alo.events.types import LogLine, Output
from alo.processes.wire import packed, receive
from alo.sources.code.finder import Roots
from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.sources.code.view import CodeView
from alo.store import StepStore, StoredStep


class Assignment(NamedTuple):
    """What a process is to do. The task's data and config are what the store has of ``given``."""

    task: StepTask
    assets: Path  # the folder of the steps' folders
    view: CodeView
    store: Path
    is_private: bool  # the store
    run_id: str
    kind: str
    given: StoredStep | None
    spare: frozenset[str]  # blobs of it that no one else has, and that no further try will need
    stacks: Path  # the file for where the process is when it crashes or hangs
    path: tuple[str, ...]  # where modules are found; empty: as the interpreter has it


class Done(NamedTuple):
    """The step has succeeded, and what it saved is in the store."""

    stored: StoredStep
    summary: Mapping[str, object] | None
    cpu_seconds: float
    peak_bytes: int
    sampled: str
    used: frozenset[str]  # names of the project's modules that it may have used
    read: Mapping[str, bytes]  # name → content, of those that the run did not know
    outside: Mapping[str, str]  # modules outside the project, not installed: path → checksum
    packages: Mapping[str, str]  # that it imported: name → version


def main() -> None:
    """Run the one assignment that comes over the socket at descriptor 0."""
    with process_of_ours() as connection, suppress(EOFError):
        assignment = receive(connection)
        if isinstance(assignment, Assignment):
            sys.path[:] = assignment.path or sys.path
            show_stacks_in(assignment.stacks)
            send = MessageSender(connection)
            send(_work(assignment, send))


@contextmanager
def process_of_ours() -> Iterator[socket.socket]:
    """The life of a process that the engine has started: gives the socket to it.

    Whoever interrupts it outside of an asset gets from the engine, which watches, what it did.
    """
    try:
        os.setsid()  # a Ctrl-C at the terminal is for the engine, which ends this process in order
        yield take_connection()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def take_connection() -> socket.socket:
    """The socket to the engine, from descriptor 0, where nothing is then."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return connection


def show_stacks_in(path: Path) -> None:
    """Where the process is when it crashes, or is asked: it can be once the file is there."""
    import faulthandler

    unasked = path.with_name(f"{path.name}.unasked")
    file = open(unasked, "wb")  # noqa: SIM115 - open to the end of the process
    faulthandler.enable(file)
    faulthandler.register(signal.SIGUSR1, file)
    os.replace(unasked, path)
    # An asset that asks for the same gets it: the place is in the error.
    faulthandler.enable = lambda *_, **__: None


class MessageSender:
    """Sends messages from any thread. A process that the asset forks prints them instead."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._process = connection, os.getpid()
        self._lock = threading.Lock()

    def __call__(self, message: object) -> None:
        self.send_all([message])

    def send_all(self, messages: Sequence[object]) -> None:
        """Send several at once: each that comes alone wakes its reader."""
        if os.getpid() == self._process:
            with self._lock:
                self._connection.sendall(b"".join(map(packed, messages)))
            return
        for message in messages:
            if isinstance(message, LogLine):
                _print(2, f"{message.format()}\n")
            elif isinstance(message, Output):
                _print(2 if message.stream == "stderr" else 1, message.text)


def _print(descriptor: int, text: str) -> None:
    os.write(descriptor, text.encode("utf-8", "backslashreplace"))


def _work(assignment: Assignment, send: MessageSender) -> Done | FailedStep | StoreError:
    store = StepStore(assignment.store, is_private=assignment.is_private)
    try:
        return _run(assignment, store, send)
    except StoreError as error:
        return error


def _run(assignment: Assignment, store: StepStore, send: MessageSender) -> Done | FailedStep:
    task, given = assignment.task, assignment.given
    shared = SharedModules(assignment.view)
    with values_loadable(shared, given.paths if given else ()):
        data, config = store.load(given) if given else ({}, {})
    task = task._replace(data=data, config={**config, META: task.config[META]})
    del data, config  # the step alone holds what it is given
    folder = assignment.assets / task.name
    code = AssetCode(folder, task.name, shared, runs_once=True)
    result = run_step(task, code, send, has_user=False)
    del task
    if isinstance(result, FailedStep):
        return result
    own = {key: value for key, value in result.config.items() if key != META}
    name = assignment.task.name
    with shared.present():
        stored = store.save(
            assignment.run_id,
            assignment.kind,
            name,
            result.data,
            own,
            incoming=given,
            paths=shared.paths(),
            spare=assignment.spare,
        )
    packages = {"python": python_version(), **imported_packages()}
    usage = result.cpu_seconds, result.peak_bytes
    return Done(
        stored,
        result.summary,
        *usage,
        result.sampled,
        frozenset(code.used()),
        assignment.view.read_by_name(),
        outside_code(Roots(*assignment.view.roots)),
        packages,
    )
