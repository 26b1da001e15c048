"""Reports an alarm to a command or a URL, once: no shell, no redirects, and a limit of time."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from http import HTTPStatus
from pathlib import Path
from typing import IO, NamedTuple
from urllib import request as requests
from urllib.error import HTTPError, URLError

from alo.alarms.ledger import Crossing
from alo.json_text import json_bytes
from alo.plan.model import Alarm
from alo.processes.tree import Watchdog
from alo.version import __version__

COMMAND_S, URL_S = 30.0, 10.0
SECRET = "ALO_ALARM_SECRET"  # noqa: S105 - the name of the variable
SIGNATURE = "X-ALO-Signature"
MOST_TOLD = 300  # bytes of what a command has written about its fault
TAIL_S = 0.5  # for that to be read, once the command has ended


class Called(NamedTuple):
    """What became of a call."""

    fault: str = ""  # empty: it has come through
    is_passing: bool = False  # whether another try may come through


class Limits(NamedTuple):
    """How long a call may take, in seconds."""

    command_s: float = COMMAND_S
    url_s: float = URL_S


USUAL = Limits()


def call(crossing: Crossing, alarm: Alarm, home: Path, secret: str, limits: Limits) -> Called:
    """Report it to whom the plan names.

    Args:
        home: the project's folder, in which a command runs.
        secret: that signs what a URL is sent; empty: nothing does.
    """
    body = json_bytes(crossing.body)
    if alarm.url:
        return _within(limits.url_s, lambda: _post(alarm.url, body, secret, limits.url_s))
    return _run(shlex.split(alarm.command), body, home, limits.command_s)


def command_fault(command: str, home: Path) -> str:
    """Why a command could not be started now; empty: nothing is known against it."""
    program = shlex.split(command)[0]
    if "/" not in program:
        return "" if shutil.which(program) else f"there is no program '{program}' on the PATH"
    path = home / program
    if not path.is_file():
        return f"there is no file {program} in the project's folder"
    return "" if os.access(path, os.X_OK) else f"{program} may not be run: chmod +x {program}"


def signature(body: bytes, secret: str) -> str:
    """What ``X-ALO-Signature`` has: HMAC-SHA256 of the body, in hexadecimal."""
    return f"sha256={hmac.new(os.fsencode(secret), body, hashlib.sha256).hexdigest()}"


class _NoRedirects(requests.HTTPRedirectHandler):
    """Another place than the plan's is sent nothing."""

    def redirect_request(self, *of_answer: object) -> None:
        """None: the answer is what it is."""


def _post(url: str, body: bytes, secret: str, limit_s: float) -> Called:
    headers = {"Content-Type": "application/json", "User-Agent": f"alo/{__version__}"}
    if secret:
        headers[SIGNATURE] = signature(body, secret)
    request = requests.Request(url, body, headers, method="POST")  # noqa: S310 - http(s): the plan
    try:
        with requests.build_opener(_NoRedirects).open(request, timeout=limit_s):
            return Called()
    except HTTPError as error:
        with error:
            return Called(f"it answered {error.code} {_name_of(error.code)}", error.code >= 500)
    except URLError as error:
        return Called(f"there is no answer: {error.reason}", is_passing=True)
    except (http.client.HTTPException, OSError, ValueError) as error:
        return Called(f"there is no answer: {error!r}", is_passing=True)


def _name_of(status: int) -> str:
    with suppress(ValueError):
        return HTTPStatus(status).phrase
    return ""


def _within(limit_s: float, work: Callable[[], Called]) -> Called:
    """Do it in a thread that is left behind where an answer comes byte by byte, without end."""
    found: list[Called] = []
    thread = threading.Thread(target=lambda: found.append(work()), name="alo-call", daemon=True)
    thread.start()
    thread.join(limit_s + 1)
    return found[0] if found else Called(f"no answer within {limit_s:g} s", is_passing=True)


def _run(words: list[str], body: bytes, home: Path, limit_s: float) -> Called:
    try:
        process = subprocess.Popen(  # noqa: S603 - the plan's own command, and no shell
            words,
            cwd=home,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return Called(f"it cannot be started: {error.strerror or error}")
    written = _Tail(process.stderr)
    watchdog = Watchdog(process.pid)  # should we be killed, it does not stay for ever
    try:
        # Less than a pipe holds: whether the command reads it, no one waits for.
        with suppress(BrokenPipeError), process.stdin or nullcontext() as stdin:
            if stdin is not None:
                stdin.write(body)
        status = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Called(f"it was ended after {limit_s:g} s")
    except BaseException:
        _kill(process)
        raise
    finally:
        watchdog.dismiss()
    return Called(f"it ended with status {status}{written.text()}") if status else Called()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it has started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Tail:
    """The end of what a command writes about its faults, however much that is."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._end = b""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """It in one line; what the command has started may still have more to write."""
        self._thread.join(TAIL_S)
        line = " ".join(self._end.decode("utf-8", "replace").split())
        return f": {line}" if line else ""

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is not None:
            with stream:
                while piece := os.read(stream.fileno(), 1 << 16):
                    self._end = (self._end + piece)[-MOST_TOLD:]
