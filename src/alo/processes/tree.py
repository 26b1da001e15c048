"""Ending a process of ours with all that it has started."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

MARK = "ALO_STEP"  # an environment variable: what a marked process starts is marked too
GRACE_S = 2.0  # from the request to end until the end
KILL_S = 10.0  # for what was killed to be gone, which only a device that hangs holds up


def has_ended(pid: int) -> bool:
    """Whether a child of ours has ended; it is still to be waited for."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def end_tree(pid: int, mark: str) -> None:
    """End a child of ours, which leads a session, and all that it has started, wherever it is now.

    Args:
        mark: the value of ``MARK`` in its environment.
    """
    _signal(signal.SIGTERM, pid, _marked(mark))
    end = time.monotonic() + GRACE_S
    while not has_ended(pid) and time.monotonic() < end:
        time.sleep(0.01)
    end = time.monotonic() + KILL_S
    while True:  # what forks while it is being ended is found by the next look
        left = _marked(mark) - {pid} if has_ended(pid) else _marked(mark)
        _signal(signal.SIGKILL, pid, left)
        if not left or time.monotonic() > end:
            break
        time.sleep(0.01)


def _signal(number: int, leader: int, others: Iterable[int]) -> None:
    try:
        os.killpg(leader, number)
    except OSError:  # it has not made its session yet, or all of it has ended
        others = {leader, *others}
    for pid in others:
        try:
            os.kill(pid, number)
        except OSError:
            continue


def _marked(mark: str) -> set[int]:
    """The processes that have this mark; without ``/proc``, none are known."""
    wanted = f"{MARK}={mark}".encode()
    found = set()
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if wanted in file.read().split(b"\0"):
                        found.add(int(name))
            except OSError:  # gone, or another user's
                continue
    return found


class Watchdog:
    """A small process that ends the session of ``pid`` if this one is killed."""

    SCRIPT = 'read line || kill -s KILL -- "-$1"'

    def __init__(self, pid: int) -> None:
        theirs, self._lifeline = os.pipe()
        argv = ["sh", "-c", self.SCRIPT, "alo-watchdog", str(pid)]
        try:
            self._pid = os.posix_spawn(
                "/bin/sh",
                argv,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 0)],
                setpgroup=0,
            )
        finally:
            os.close(theirs)

    def dismiss(self) -> None:
        """There is nothing left to watch."""
        with suppress(BrokenPipeError):  # someone has ended it
            os.write(self._lifeline, b"\n")
        os.close(self._lifeline)
        with suppress(ChildProcessError):  # an asset has reaped it
            os.waitpid(self._pid, 0)
