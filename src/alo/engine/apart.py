"""Run a step in a process of its own, so that a crash or a hang of it is not the engine's.

The engine starts the process (``worker.py``), hands it its assignment, passes on what it tells and
prints, and finds out how it ended.
"""

import os
import selectors
import signal
import socket
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import alo
from alo.engine.deaths import Ending, death_error, hang_error
from alo.engine.processes import MARK, Watchdog, end_tree, has_ended
from alo.engine.resources import PEAK_UNIT
from alo.engine.step import FailedStep
from alo.engine.wire import Inbox, packed
from alo.engine.worker import Assignment, Done
from alo.errors import StepError, StoreError
from alo.events import Listener, LogLine, Output

# What stands first on the path, the working folder, may hold modules of any name.
BOOT = "import sys; sys.path[:1] = sys.argv[1:]; from alo.engine.worker import main; main()"
PIECE = 1 << 16
PIPE = 1 << 20  # more than a pipe holds
TAIL = 4000  # characters of what it said last that are kept for an error
EXIT_S = 5.0  # for threads and exit handlers of the asset, once its result is here
POLL_S = 0.05  # where the system has no better way to tell that a process has ended
STACKS_S = 1.0  # for the process to write where it is


def run_apart(
    assignment: Assignment, python: str, timeout_s: float | None, listener: Listener
) -> Done | FailedStep:
    """Run one step in a process of its own, and wait for its end.

    Args:
        python: the interpreter; the one that runs now, or one of another environment.
        timeout_s: after so many seconds it is ended; None: no limit.
    Raises:
        StoreError: what the step is given cannot be read, or what it saves not be stored.
        KeyboardInterrupt: the user ended it; all that it had started has ended too.
    """
    with _process(assignment, python, listener) as process:
        process.hand_over(assignment)
        if not process.watch(timeout_s):
            process.show_stacks()
            process.end()
        ending = process.wait()
        failure = _failure(assignment, ending, timeout_s if process.was_late else None)
    if isinstance(process.result, StoreError):
        raise process.result
    if isinstance(process.result, Done | FailedStep):
        return process.result._replace(peak_bytes=ending.peak_bytes)
    return FailedStep(failure, ending.cpu_seconds, ending.peak_bytes, "")


def _failure(assignment: Assignment, ending: Ending, limit_s: float | None) -> StepError:
    task = assignment.task
    if limit_s is not None:
        return hang_error(task.name, task.home, ending, limit_s)
    return death_error(task.name, task.home, ending)


@contextmanager
def _process(assignment: Assignment, python: str, listener: Listener) -> "Iterator[_StepProcess]":
    process = _StepProcess(python, assignment.stacks, listener)
    try:
        yield process
    except BaseException:
        process.end()
        process.wait()
        raise
    finally:
        process.close()


class _StepProcess:
    """The process of a step, from its start until it is waited for."""

    def __init__(self, python: str, stacks: Path, listener: Listener) -> None:
        self.result: object = None
        self.was_late = False
        self._stacks, self._listener = stacks, listener
        self._mark, self._tail = os.urandom(8).hex(), ""
        self._connection, theirs = socket.socketpair()
        pipes = {"stdout": os.pipe(), "stderr": os.pipe()}
        try:
            self._pid = _start(python, self._mark, theirs, [pipe[1] for pipe in pipes.values()])
        finally:
            theirs.close()
            for _, writing in pipes.values():
                os.close(writing)
        self._watchdog = Watchdog(self._pid)
        self._pidfd = _pidfd(self._pid)
        self._outputs = {pipe[0]: _Printed(name, self._heard) for name, pipe in pipes.items()}
        self._inbox = Inbox()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connection, selectors.EVENT_READ, self._read_messages)
        for descriptor in self._outputs:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ, self._read_output)
        if self._pidfd >= 0:
            self._selector.register(self._pidfd, selectors.EVENT_READ, None)

    def hand_over(self, assignment: Assignment) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died: its ending tells
            self._connection.sendall(packed(assignment))
        self._connection.setblocking(False)

    def watch(self, timeout_s: float | None) -> bool:
        """Pass on what it tells until it has ended, or its time is over; whether it has ended."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        result_at: float | None = None
        while not self._has_ended(self._wait_s(deadline)):
            now = time.monotonic()
            if self.result is not None:
                result_at = result_at or now
                if now > result_at + EXIT_S:
                    self.end()
            elif deadline is not None and now >= deadline:
                self.was_late = True
                return False
        return True

    def _wait_s(self, deadline: float | None) -> float | None:
        if self.result is not None:
            return POLL_S
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if self._pidfd >= 0:
            return left
        return POLL_S if left is None else min(POLL_S, left)

    def _has_ended(self, wait_s: float | None) -> bool:
        """Wait for news and pass them on."""
        ended = False
        for key, _ in self._selector.select(wait_s):
            if key.data is None:
                ended = True
            else:
                key.data(key.fileobj)
        return ended or (self._pidfd < 0 and has_ended(self._pid))

    def show_stacks(self) -> None:
        """Have a process that hangs write down where it is."""
        with suppress(OSError):
            os.kill(self._pid, signal.SIGUSR1)
        end = time.monotonic() + STACKS_S
        while time.monotonic() < end and not self._has_stacks():
            time.sleep(0.01)

    def _has_stacks(self) -> bool:
        try:
            return self._stacks.read_bytes().endswith(b"\n")
        except OSError:
            return False

    def end(self) -> None:
        try:
            end_tree(self._pid, self._mark)
        finally:  # whoever is in a hurry presses Ctrl-C again
            with suppress(OSError):
                os.killpg(self._pid, signal.SIGKILL)

    def wait(self) -> Ending:
        """How it ended, once it has."""
        while not has_ended(self._pid):
            self._has_ended(POLL_S)
        self._drain()
        _, status, usage = os.wait4(self._pid, 0)
        return Ending(
            os.waitstatus_to_exitcode(status),
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * PEAK_UNIT,
            self._tail.splitlines(),
            _text_of(self._stacks),
        )

    def close(self) -> None:
        self._watchdog.dismiss()
        self._selector.close()
        self._connection.close()
        for descriptor in (*self._outputs, *([self._pidfd] if self._pidfd >= 0 else ())):
            os.close(descriptor)

    def _drain(self) -> None:
        """What it has told and printed before it ended; what it left running may go on printing."""
        self._read_messages(self._connection)
        for descriptor in self._outputs:
            self._read_output(descriptor)

    def _read_messages(self, connection: socket.socket) -> None:
        while True:
            try:
                piece = connection.recv(PIECE)
            except BlockingIOError:
                return
            except ConnectionResetError:
                piece = b""
            if not piece:
                self._forget(connection)
                return
            for message in self._inbox.take(piece):
                if isinstance(message, LogLine | Output):
                    self._heard(message)
                else:
                    self.result = message

    def _read_output(self, descriptor: int) -> None:
        try:
            piece = os.read(descriptor, PIPE)
        except BlockingIOError:
            return
        if piece:
            self._outputs[descriptor](piece)
        else:
            self._forget(descriptor)

    def _forget(self, file: "socket.socket | int") -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(file)

    def _heard(self, event: LogLine | Output) -> None:
        text = f"{event.format()}\n" if isinstance(event, LogLine) else event.text
        self._tail = (self._tail + text)[-TAIL:]
        self._listener(event)


class _Printed:
    """What a process prints past Python, as C libraries do."""

    def __init__(self, stream: str, heard: Callable[[Output], None]) -> None:
        self._stream, self._heard = stream, heard
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def __call__(self, piece: bytes) -> None:
        if text := self._decoder.decode(piece):
            self._heard(Output(self._stream, text))


def _start(python: str, mark: str, connection: socket.socket, outputs: list[int]) -> int:
    targets = enumerate([connection.fileno(), *outputs])
    # The engine's own folder where the same Python runs: it may have been found by hand.
    folders = [os.path.dirname(alo.__path__[0])] if python == sys.executable else []
    return os.posix_spawn(
        python,
        [python, "-c", BOOT, *folders],
        {**os.environ, MARK: mark},
        file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for target, source in targets],
    )


def _pidfd(pid: int) -> int:
    """A descriptor that can be read once the process has ended; -1 where there are none."""
    try:
        return os.pidfd_open(pid) if sys.platform == "linux" else -1
    except OSError:  # an old kernel
        return -1


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
