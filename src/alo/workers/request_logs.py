"""The log files of a request, which are made only where someone will read them."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from alo.events.log_files import RunLogs
from alo.events.types import Event, LogLine


class RequestLogs:
    """A listener that writes what it receives, from the first line on that is not of each request.

    Args:
        folder: made if it is not there: an asset may write into it.
        first: the line that each request begins with.
    """

    def __init__(self, folder: Path, first: LogLine) -> None:
        self._folder, self._first = folder, first
        self._logs: RunLogs | None = None
        self._lock = threading.Lock()  # threads of an asset print too
        try:
            os.mkdir(folder)
        except FileExistsError:  # as usual
            pass
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)

    def __call__(self, event: Event) -> None:
        with suppress(OSError):  # a print does not fail for it
            self.made()(event)

    def made(self) -> RunLogs:
        """The files, which are there from now on.

        Raises:
            OSError: they cannot be made.
        """
        with self._lock:
            if self._logs is None:
                self._logs = RunLogs(self._folder)
                self._logs(self._first)
            return self._logs

    def close(self) -> None:
        """Close the files, if there are any."""
        with self._lock:
            if self._logs is not None:
                self._logs.close()
