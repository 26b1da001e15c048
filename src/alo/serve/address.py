"""Where a service of the project is reached: a small file of its own, for who asks it in person."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from alo.files import write_whole
from alo.json_text import json_file
from alo.layout import Workspace
from alo.serve.folders import folder_of, names_of_live

FILE = "address.json"
MOST_BYTES = 10_000
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where such a service is here


class ServiceAddress(NamedTuple):
    """Where one service listens. Its token is noted nowhere."""

    name: str  # of the service
    url: str
    host: str  # the machine, or container
    pid: int  # there
    wants_token: bool

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, or in this container."""
        return self.host == os.uname().nodename

    @property
    def reached_at(self) -> tuple[str, int]:
        """Host and port, as they are asked from here."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return ANYWHERE.get(host, host), parts.port or 80


class AddressNote:
    """The note of a service of this process."""

    def __init__(self, folder: Path, url: str, *, wants_token: bool) -> None:
        here = os.uname().nodename, os.getpid()
        self._path = folder / FILE
        self._address = ServiceAddress(folder.name, url, *here, wants_token)

    def keep(self) -> None:
        """Write it where it is not there, as when ``.alo/`` was deleted.

        Raises:
            OSError: it cannot be written.
        """
        if not self._path.exists():
            content = json.dumps(self._address._asdict()).encode()
            write_whole(self._path, content, durable=False)


def services_of(workspace: Workspace) -> Iterator[ServiceAddress]:
    """The HTTP services of a project that run now, and say where."""
    for name in names_of_live(workspace, "serve"):
        with suppress(OSError, ValueError, TypeError):
            path = folder_of(workspace, name) / FILE
            address = ServiceAddress(**json_file(path, most=MOST_BYTES))
            _ = address.reached_at  # a port that is none is a ValueError
            if address.name == name and address.url.startswith("http://"):
                yield address
