"""Thumbnails of pictures and what is known of them, kept in ``.alo/``.

They are decoded in processes of their own with limits of memory and time, one for each core; those
are started when a picture is wanted, and end when none is for a while.
"""

from __future__ import annotations

import errno
import json
import os
import select
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any, NamedTuple

from alo.errors import AloError
from alo.files import discard, write_whole
from alo.ui.readers.cache import FileCache

LIMIT_S = 15.0  # for one picture
SIDE = 256  # pixels of a thumbnail
KIND = "image/webp"
WORKER = "alo.ui.readers.picture_main"


class NoPillowError(AloError):
    """Pillow is not installed."""


class Picture(NamedTuple):
    """What is known of a picture."""

    width: int
    height: int
    kind: str  # as Pillow calls it
    problem: str  # why it cannot be shown
    notes: list[str]


class Pictures:
    """The pictures of a project's runs."""

    def __init__(self, cache: FileCache) -> None:
        self._cache = cache
        self._lock = Lock()
        self._free = BoundedSemaphore(os.cpu_count() or 1)
        self._idle: list[subprocess.Popen[bytes]] = []
        weakref.finalize(self, _end, self._idle)

    def thumbnail(self, path: Path, side: int) -> Path | None:
        """A small copy of a picture, in WebP; None: it cannot be decoded, see :meth:`facts`.

        Raises:
            AloError: Pillow is not installed.
            OSError: there is no room for a small copy.
        """
        target = self._cache.path(path, f"thumb {side}", ".webp")
        if not target.exists():
            self._look(path, side, target)
        return target if target.exists() else None

    def facts(self, path: Path) -> Picture:
        """What is known of a picture.

        Raises:
            AloError: Pillow is not installed.
            OSError: there is no room for a small copy.
        """
        known = self._known(path)
        if known is None:
            return self._look(path, SIDE, self._cache.path(path, f"thumb {SIDE}", ".webp"))
        return known

    def _known(self, path: Path) -> Picture | None:
        with suppress(OSError, ValueError, TypeError):
            return Picture(**json.loads(self._cache.path(path, "facts", ".json").read_bytes()))
        return None

    def _look(self, path: Path, side: int, target: Path) -> Picture:
        known = self._known(path)
        if known is not None and known.problem:
            return known
        if find_spec("PIL") is None:
            raise NoPillowError("pictures need Pillow", fix="pip install 'open-alo[ui]'")
        new = self._cache.new(target)
        asked = {"path": str(path), "side": side, "target": str(new)}
        try:
            answer = self._ask(asked)
            if answer is None:
                return Picture(0, 0, "", f"it could not be decoded within {LIMIT_S:.0f} s", [])
            if answer.get("full"):
                what = os.strerror(errno.ENOSPC)
                raise OSError(errno.ENOSPC, what, str(target.parent))
            found = Picture(**answer)
            if not found.problem:
                os.replace(new, target)
        finally:
            discard(new)
        with suppress(OSError):
            content = json.dumps(found._asdict()).encode()
            write_whole(self._cache.path(path, "facts", ".json"), content, durable=False)
        return found

    def _ask(self, asked: dict[str, object]) -> dict[str, Any] | None:
        """The answer of a process; None: it has ended over this picture, or had to be ended."""
        line = json.dumps(asked).encode() + b"\n"
        with self._free:
            for _ in range(2):  # one that was idle may end just now
                process = self._take_idle()
                is_new = process is None
                process = process or _start()
                if (answer := _answer(process, line)) is not None:
                    with self._lock:
                        self._idle.append(process)
                    return answer
                _end([process])
                if is_new:
                    return None
        return None

    def _take_idle(self) -> subprocess.Popen[bytes] | None:
        """One that waits for work; those that have waited for too long have ended by themselves."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.poll() is None:
                    return process
                _end([process])
        return None


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        cwd=os.sep,
    )


def _answer(process: subprocess.Popen[bytes], line: bytes) -> dict[str, Any] | None:
    if process.stdin is None or process.stdout is None:
        return None
    content, until = b"", time.monotonic() + LIMIT_S
    try:
        process.stdin.write(line)
        while not content.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                return None
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                return None
            content += piece
        answer = json.loads(content)
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    while processes:
        process = processes.pop()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
