"""A service that a studio has for itself: one warm worker, while somebody tries the pipeline.

It is ``alo serve`` in a process of its own, on a free port of this machine, with a token that
nobody else has. It begins when it is first wanted and ends when it was not used for a while, when
the studio ends, or when that is killed.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, NamedTuple

from alo.layout import Workspace
from alo.processes.tree import Watchdog
from alo.serve.address import ServiceAddress, services_of
from alo.ui.jobs.folder import python_running
from alo.ui.problems import UiError
from alo.ui.try_out.client import ANSWER_S, ServiceClient

IDLE_S = 300.0
BOOT_S = 120.0  # for one wait; a run that has the workspace may hold it up for longer
LOOK_S = 0.05
WATCH_S = 1.0
END_S = 10.0  # for a request in hand
TAIL = 4000  # characters of what it said last


class _Running(NamedTuple):
    """Its process."""

    process: subprocess.Popen[bytes]
    token: str
    said: IO[bytes]
    watchdog: Watchdog

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None


class OwnService:
    """The one of a studio; for any thread.

    Args:
        idle_s: seconds after its last use until it ends.
        boot_s: seconds that who wants it waits for it to be warm.
    """

    def __init__(
        self, workspace: Workspace, *, idle_s: float = IDLE_S, boot_s: float = BOOT_S
    ) -> None:
        self._workspace, self._idle_s, self._boot_s = workspace, idle_s, boot_s
        self._lock = threading.Lock()  # held while it is started or ended
        self._running: _Running | None = None
        self._uses, self._used_at = 0, 0.0
        self._counting = threading.Lock()
        self._ended = threading.Event()  # so has the studio

    @property
    def pid(self) -> int:
        """Of its process; 0: there is none."""
        running = self._running
        return running.process.pid if running else 0

    @contextmanager
    def in_use(self) -> Iterator[ServiceClient]:
        """The service, warm; it does not end of idleness meanwhile.

        Raises:
            UiError: 409: the pipeline cannot be served; 503: not now; 504: it is not warm yet.
        """
        self._count(1)
        try:
            yield self._warm()
        finally:
            self._count(-1)

    def discard(self, gone: ServiceClient) -> None:
        """End one that does not answer; where another was started meanwhile, that one stays."""
        with self._lock:
            if gone.address.pid == self.pid:
                self._end()

    def stop(self) -> None:
        """End it, for good: the studio ends."""
        self._ended.set()
        with self._lock:
            self._end()

    def _count(self, change: int) -> None:
        with self._counting:
            self._uses += change
            self._used_at = time.monotonic()

    def _is_idle(self) -> bool:
        with self._counting:
            return self._uses == 0 and time.monotonic() > self._used_at + self._idle_s

    def _warm(self) -> ServiceClient:
        end = time.monotonic() + self._boot_s
        with self._lock:
            running = self._running
            if running is None or not running.is_alive:
                running = self._start()
            while (address := self._address(running)) is None:
                if not running.is_alive:
                    said = _tail(running.said)
                    self._end()
                    raise _not_served(said)
                if time.monotonic() > end:
                    what = "the worker of the studio is not warm yet: a run may hold it up"
                    raise UiError(504, what, fix="send it again; it is still starting")
                if self._ended.wait(LOOK_S):
                    raise UiError(503, "the studio ends")
            return ServiceClient(address, running.token)

    def _start(self) -> _Running:
        self._end()
        if self._ended.is_set():
            raise UiError(503, "the studio ends")
        token = secrets.token_urlsafe(24)
        words = ["serve", "--host", "127.0.0.1", "--port", "0", "--workers", "1", "--quiet"]
        words += ["--request-timeout", f"{ANSWER_S:g}", "--project", str(self._workspace.home)]
        said = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as it runs
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*python_running("alo.cli.main"), *words],
            cwd=self._workspace.home,
            env={**os.environ, "ALO_TOKEN": token},  # which no process list shows
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        self._running = running = _Running(process, token, said, Watchdog(process.pid))
        watch = threading.Thread(target=self._watch, args=(running,), name="alo-try", daemon=True)
        watch.start()
        return running

    def _address(self, running: _Running) -> ServiceAddress | None:
        for address in services_of(self._workspace):
            if address.pid == running.process.pid and address.is_here:
                return address
        return None

    def _watch(self, running: _Running) -> None:
        """End it when it was not used for a while."""
        while not self._ended.wait(min(WATCH_S, self._idle_s)):
            if running.is_alive and not self._is_idle():
                continue
            with self._lock:
                if self._running is running and (not running.is_alive or self._is_idle()):
                    self._end()
            if self._running is not running:
                return

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.process.terminate()
        try:
            running.process.wait(END_S)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()
        running.watchdog.dismiss()
        running.said.close()


def _tail(said: IO[bytes]) -> str:
    said.seek(max(0, os.fstat(said.fileno()).st_size - TAIL))
    return said.read().decode("utf-8", "replace").strip()


def _not_served(said: str) -> UiError:
    """What ``alo serve`` has said, in its parts."""
    parts = {"where": "", "fix": ""}
    what = []
    for line in said.splitlines():
        name, mark, text = line.strip().partition(": ")
        if mark and name in parts:
            parts[name] = text
        else:
            what.append(line.removeprefix("error: "))
    reason = "\n".join(what) or "it has ended without a word"
    return UiError(
        409,
        f"the inference pipeline cannot be served: {reason}",
        where=parts["where"],
        fix=parts["fix"],
    )
