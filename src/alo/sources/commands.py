"""Run git and the installers to their end: how they ended is known, never assumed.

Whoever interrupts us ends them, with all that they have started, before anything is cleaned up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, NamedTuple

UNKNOWN = (
    "it is not known whether it succeeded: something in this process takes the exit status of "
    "its children away (SIGCHLD is ignored, perhaps)"
)


class Ended(NamedTuple):
    """How a command ended."""

    status: int | None  # None: someone else has taken it
    output: str
    errors: str

    @property
    def fault(self) -> str:
        """Why it did not succeed, where it has not said so itself; empty: it has succeeded."""
        if self.status is None:
            return UNKNOWN
        if self.status < 0:
            return f"it was ended by {_signal_name(-self.status)}"
        return f"it ended with status {self.status}" if self.status else ""


class Commands:
    """Runs commands, several at a time; ``stop`` ends them, from whichever thread."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self.is_stopped = False

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        lock: int = -1,
    ) -> Ended:
        """Run a command without a terminal that it could ask at.

        Args:
            lock: a descriptor that the command has too, as long as it runs: should we be killed, no
                one else begins while it still writes.
        Raises:
            OSError: it cannot be started.
        """
        starting = _Starting(
            lambda: subprocess.Popen(  # noqa: S603 - no shell, and options end before what users give
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=() if lock < 0 else (lock,),
                start_new_session=True,
                env=dict(environment),
            )
        )
        try:
            process = starting.started()
            with self._lock:
                self._running.add(process)
                if self.is_stopped:
                    _end(process)
            return _finished(process)
        except BaseException:
            if interrupted := starting.given_up():
                _end(interrupted)
                _reaped(interrupted)
            raise
        finally:
            if over := starting.process:
                with self._lock:
                    self._running.discard(over)
                _close(over)

    def stop(self) -> None:
        """End what runs; what is started later ends at once."""
        with self._lock:
            self.is_stopped = True
            for process in self._running:
                _end(process)


class _Starting:
    """The start of a process in a thread of its own, where no signal can interrupt it.

    In the main thread one may come once the process is there and before anyone knows of it.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._start, self._lock, self._is_wanted = start, threading.Lock(), True
        self._error: BaseException | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def started(self) -> subprocess.Popen[bytes]:
        """Start it; what that raises is raised here."""
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        thread.join()
        if self.process is None:
            raise self._error or RuntimeError("no process was started")
        return self.process

    def given_up(self) -> subprocess.Popen[bytes] | None:
        """The process, where there is one; from here on none is started."""
        with self._lock:
            self._is_wanted = False
        return self.process

    def _run(self) -> None:
        with self._lock:
            if not self._is_wanted:
                return
            try:
                self.process = self._start()
            except BaseException as error:
                self._error = error


def _finished(process: subprocess.Popen[bytes]) -> Ended:
    """All that it prints, and its status; ``communicate`` would take a lost status for a 0.

    What is no UTF-8 in its output, as in the name of a file, can be turned back into what it was.
    """
    errors: list[bytes] = []
    reader = threading.Thread(target=lambda: errors.append(_rest_of(process.stderr)), daemon=True)
    reader.start()
    output = _rest_of(process.stdout).decode("utf-8", "surrogateescape")
    reader.join()
    return Ended(_reaped(process), output, b"".join(errors).decode("utf-8", "replace"))


def _rest_of(pipe: IO[bytes] | None) -> bytes:
    return pipe.read() if pipe else b""


def _reaped(process: subprocess.Popen[bytes]) -> int | None:
    """Wait for its end; its status, or None where it is not to be had."""
    try:
        _, status = os.waitpid(process.pid, 0)
    except ChildProcessError:
        process.returncode = -1  # or Popen would continue asking for it
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        return f"signal {number}"
