"""A process of ours that runs an asset's code: its start, its messages and prints, and its end.

It reads pickled messages from a socket at its standard input and answers over it (``wire.py``).
What it prints past Python comes through pipes.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import alo
from alo.events.types import Listener, LogLine, Output
from alo.processes.crash_report import Ending
from alo.processes.inherited import UNTOUCHED
from alo.processes.resources import PEAK_UNIT
from alo.processes.tree import MARK, Watchdog, end_tree, has_ended
from alo.processes.wire import Inbox, packed

# What is first on the path, the working folder, may hold modules of any name.
BOOT = "import sys; sys.path[:1] = sys.argv[1:]; from {module} import main; main()"
PIECE = 1 << 16
PIPE = 1 << 20  # more than a pipe holds
TAIL = 4000  # characters of what it said last that are kept for an error
POLL_S = 0.05  # where the system has no better way to report that a process has ended
STACKS_S = 10.0  # for the process to write where it is, on however crowded a machine
# What its stacks end with: the main thread's come last, and its first frame, or a cut, last of all.
WRITTEN = ("in <module>\n", "...\n")


class Child:
    """A process from its start until it is waited for.

    Args:
        module: whose ``main`` it runs.
        python: its interpreter.
        stacks: the file into which it writes where it is when it crashes or is asked.
        listener: of its log lines and prints.
    """

    def __init__(self, module: str, python: str, stacks: Path, listener: Listener) -> None:
        self._stacks, self._listener = stacks, listener
        stacks.unlink(missing_ok=True)  # an earlier process' are not of this one
        self._mark, self._tail = os.urandom(8).hex(), ""
        self._connection, theirs = socket.socketpair()
        pipes = {"stdout": os.pipe(), "stderr": os.pipe()}
        try:
            outputs = [pipe[1] for pipe in pipes.values()]
            self.pid = _start(module, python, self._mark, theirs, outputs)
        except OSError:
            for reading, _ in pipes.values():
                os.close(reading)
            self._connection.close()
            raise
        finally:
            theirs.close()
            for _, writing in pipes.values():
                os.close(writing)
        self._watchdog = Watchdog(self.pid)
        self._pidfd = _pidfd(self.pid)
        self._outputs = {pipe[0]: _Printed(name, self._on_event) for name, pipe in pipes.items()}
        self._inbox, self._messages = Inbox(), list[object]()
        self._unheard: list[LogLine | Output] = []
        self._selector = selectors.DefaultSelector()
        self._watch_for(self._connection, self._read_messages)
        for descriptor in self._outputs:
            os.set_blocking(descriptor, False)
            self._watch_for(descriptor, self._read_output)
        if self._pidfd >= 0:
            self._watch_for(self._pidfd, None)

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended; what it has sent may still be to be read."""
        return not has_ended(self.pid)

    def send(self, message: object) -> None:
        """Send a message; a process that has died is found by ``poll``."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.sendall(packed(message))

    def hang_up(self) -> None:
        """Signal that nothing more will come."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)

    def poll(self, wait_s: float | None) -> tuple[list[object], bool]:
        """What it has sent, at latest after ``wait_s``, and whether it has ended.

        Its log lines and prints go to the listener.
        """
        ended = False
        if self._pidfd < 0:
            wait_s = POLL_S if wait_s is None else min(POLL_S, wait_s)
        if self._messages or self._unheard:  # that were read without waiting
            self._hear_all()
            wait_s = 0
        for key, _ in self._selector.select(wait_s):
            if key.data is None:
                ended = True
            else:
                key.data(key.fileobj)
                self._hear_all()
        if ended:
            self._read_all_messages()
        messages, self._messages = self._messages, []
        return messages, ended or (self._pidfd < 0 and has_ended(self.pid))

    @property
    def watched(self) -> int:
        """A descriptor that can be read when ``poll`` has something to do; -1: there is none."""
        fileno = getattr(self._selector, "fileno", None)
        return -1 if fileno is None or self._pidfd < 0 else fileno()

    def read_now(self) -> list[object] | None:
        """What it has sent by now; None where ``poll`` has more to do, which may take a while."""
        for key, _ in self._selector.select(0):
            if key.fileobj is not self._connection:
                return None
            self._read_messages(self._connection)
        if self._unheard:
            return None
        messages, self._messages = self._messages, []
        return messages

    def show_stacks(self) -> None:
        """Have a process that hangs write down where it is."""
        end = time.monotonic() + STACKS_S
        # Its file is there once it can be asked; before that, the signal would end it.
        if self._comes_to(self._stacks.exists, end):
            with suppress(OSError):
                os.kill(self.pid, signal.SIGUSR1)
            self._comes_to(lambda: _text_of(self._stacks).endswith(WRITTEN), end)

    def _comes_to(self, is_so: Callable[[], bool], end: float) -> bool:
        """Wait until it is so, the process has ended, or the time is over; whether it is so."""
        while not is_so():
            if has_ended(self.pid) or time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def end(self) -> None:
        """End it, with all that it has started."""
        try:
            end_tree(self.pid, self._mark)
        finally:  # whoever is in a hurry presses Ctrl-C again
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> tuple[list[object], Ending]:
        """What it sent last, and how it ended, once it has."""
        last: list[object] = []
        while not has_ended(self.pid):
            last += self.poll(POLL_S)[0]
        last += self._drained()
        return last, Ending(*_reaped(self.pid), self._tail.splitlines(), _text_of(self._stacks))

    def close(self) -> None:
        """Close all descriptors of the process, once it has been waited for."""
        self._watchdog.dismiss()
        self._selector.close()
        self._connection.close()
        for descriptor in (*self._outputs, *([self._pidfd] if self._pidfd >= 0 else ())):
            os.close(descriptor)

    def _drained(self) -> list[object]:
        """What it sent and printed before it ended; what it left running may continue printing."""
        self._read_all_messages()
        for descriptor in self._outputs:
            self._read_output(descriptor)
        messages, self._messages = self._messages, []
        return messages

    def _read_all_messages(self) -> None:
        while self._read_messages(self._connection):
            self._hear_all()

    def _read_messages(self, connection: socket.socket) -> bool:
        """Take a piece of what it has sent; whether there was one."""
        try:
            piece = connection.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            piece = b""
        if not piece:
            self._forget(connection)
            return False
        for message in self._inbox.take(piece):
            if isinstance(message, LogLine | Output):
                self._unheard.append(message)
            else:
                self._messages.append(message)
        return True

    def _read_output(self, descriptor: int) -> None:
        try:
            piece = os.read(descriptor, PIPE)
        except BlockingIOError:
            return
        if piece:
            self._outputs[descriptor](piece)
        else:
            self._forget(descriptor)

    def _watch_for(self, file: socket.socket | int, read: Callable[[Any], object] | None) -> None:
        self._selector.register(file, selectors.EVENT_READ, read)

    def _forget(self, file: socket.socket | int) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(file)

    def _hear_all(self) -> None:
        events, self._unheard = self._unheard, []
        for event in events:
            self._on_event(event)

    def _on_event(self, event: LogLine | Output) -> None:
        text = f"{event.format()}\n" if isinstance(event, LogLine) else event.text
        self._tail = (self._tail + text)[-TAIL:]
        self._listener(event)


class _Printed:
    """What a process prints past Python, as C libraries do."""

    def __init__(self, stream: str, listener: Callable[[Output], None]) -> None:
        self._stream, self._listener = stream, listener
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def __call__(self, piece: bytes) -> None:
        if text := self._decoder.decode(piece):
            self._listener(Output(self._stream, text))


def _start(
    module: str, python: str, mark: str, connection: socket.socket, outputs: list[int]
) -> int:
    targets = enumerate([connection.fileno(), *outputs])
    # The engine's own folder where the same Python runs: it may have been found by hand.
    folders = [os.path.dirname(alo.__path__[0])] if python == sys.executable else []
    return os.posix_spawn(
        python,
        [python, "-c", BOOT.format(module=module), *folders],
        {**os.environ, MARK: mark},
        file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for target, source in targets],
        setsigmask=(),
        setsigdef=UNTOUCHED,
    )


def _reaped(pid: int) -> tuple[int | None, float, int]:
    """Exit status, CPU seconds and peak memory of a child that has ended."""
    try:
        _, status, usage = os.wait4(pid, 0)
    except ChildProcessError:  # a signal handler of the host takes the status of every child
        return None, 0.0, 0
    code = os.waitstatus_to_exitcode(status)
    return code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * PEAK_UNIT


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
