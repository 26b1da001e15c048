"""How the loops of a project are: a small file for each, for people and for probes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.files import write_whole
from alo.json_text import json_file
from alo.layout import Workspace
from alo.serve.folders import folder_of, names_of_live

FILE = "health.json"
SERVING, BOOTING, AWAY = "serving", "booting", "redis is away"


class LoopHealth(NamedTuple):
    """One loop of a project."""

    name: str
    host: str
    pid: int  # on its host, or in its container
    status: str  # booting, serving, or redis is away
    since: str  # UTC
    requests: int  # answered since its start


class Health:
    """What one loop reports of itself; any of its workers may."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        self._status, self._since = BOOTING, time.time()
        self._requests, self._written = 0, 0.0
        self._write()

    def be(self, status: str) -> None:
        """Take a new status and write it to the file; the same one again changes nothing."""
        with self._lock:
            if status != self._status:
                self._status, self._since = status, time.time()
                self._write()

    def count(self) -> None:
        """A request is answered; written once a second at most."""
        with self._lock:
            self._requests += 1
            if time.monotonic() > self._written + 1:
                self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._since))
        process = os.uname().nodename, os.getpid()
        health = LoopHealth(self._folder.name, *process, self._status, since, self._requests)
        with suppress(OSError):  # a full disk, say, is no reason to stop serving
            write_whole(self._folder / FILE, json.dumps(health._asdict()).encode(), durable=False)


def loops_of(workspace: Workspace) -> Iterator[LoopHealth]:
    """The loops of a project that run now."""
    for name in names_of_live(workspace, "loop"):
        with suppress(OSError, ValueError, TypeError):
            yield LoopHealth(**json_file(folder_of(workspace, name) / FILE))
