"""Read ``log/events.jsonl``, also while its run is in progress, and whatever a kill has left of it.

Any number of readers may do so, each from where it likes: nothing is locked or noted. Writing is in
``journal.py``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import time
from typing import Any, NamedTuple

from alo.events.envelope import NAMES, Envelope, event_of
from alo.events.journal import EVENTS_LOG
from alo.events.types import Event, RunFinished
from alo.json_text import DEEPEST, json_value

_TYPES = {
    "run_id": str,
    "pipeline": str,
    "sequence": int,
    "time": str,
    "event": str,
    "payload": dict,
}
_SEQUENCE = b'"sequence": '


class StoredEvent(NamedTuple):
    """An event as it was written."""

    line: bytes  # of JSON, with its end
    content: dict[str, Any]  # the envelope that it holds

    @property
    def run_id(self) -> str:
        """The id of the event's run."""
        return str(self.content["run_id"])

    @property
    def sequence(self) -> int:
        """The event's number in its run, from 0."""
        return int(self.content["sequence"])

    @property
    def name(self) -> str:
        """What kind of event it is, such as ``step_started``."""
        return str(self.content["event"])

    @property
    def moment(self) -> float:
        """When it happened, in seconds since 1970; 0 where its time is none."""
        with suppress(ValueError):
            return datetime.fromisoformat(self.content["time"].replace("Z", "+00:00")).timestamp()
        return 0.0

    @property
    def is_last(self) -> bool:
        """Whether the run has ended with it."""
        return self.name == NAMES[RunFinished]

    def event(self) -> Event | None:
        """The event itself; None where a later version, or something else, has written it."""
        return event_of(self.name, self.content["payload"])


class DamagedLine(NamedTuple):
    """A line that holds no event, and is passed over."""

    number: int  # in the file, from 1
    what: str


class StoredEvents:
    """The events of a file, as they come.

    Args:
        since: the sequence of the first that is wanted.
    Raises:
        OSError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path, since: int = 0) -> None:
        self._file = open(path, "rb")  # noqa: SIM115 - until close
        self._since, self._lines = since, 0
        self.size = 0  # bytes of the lines that were read

    def __enter__(self) -> StoredEvents:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def new(self) -> Iterator[StoredEvent | DamagedLine]:
        """What has come since the last time. A line without an end waits for the rest of it."""
        self._file.seek(self.size)
        while (line := self._file.readline()).endswith(b"\n"):
            self.size += len(line)
            self._lines += 1
            if self._is_earlier(line):
                continue
            read = _read(line, self._lines)
            if isinstance(read, DamagedLine) or read.sequence >= self._since:
                yield read

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_earlier(self, line: bytes) -> bool:
        """Whether the line is one to skip, as far as that can be seen without reading all of it."""
        if not self._since:
            return False
        number = line.partition(_SEQUENCE)[2].partition(b",")[0]
        return number.isdigit() and int(number[:20]) < self._since


def first_run(path: Path) -> str:
    """Which run the events of a file are of; empty: of none, or none is written yet."""
    with suppress(OSError), StoredEvents(path) as events:
        return next((each.run_id for each in events.new() if isinstance(each, StoredEvent)), "")
    return ""


def end_of_killed(folder: Path, finished: RunFinished) -> None:
    """Give the events of a killed run their end; half a line, which a kill may leave, goes.

    Args:
        folder: ``log/`` of its artifacts.
    Raises:
        OSError: that cannot be written; what is there can be read as before.
    """
    path = folder / EVENTS_LOG
    if first_run(path) != finished.run_id:  # killed before its first
        return
    with StoredEvents(path) as events:
        entries = [each for each in events.new() if isinstance(each, StoredEvent)]
        first, last, size = entries[0], entries[-1], events.size
    if last.is_last:
        return
    finished = finished._replace(seconds=round(last.moment - first.moment, 6))
    end = Envelope(finished.run_id, finished.pipeline, last.sequence + 1, time(), finished)
    os.truncate(path, size)
    with open(path, "ab") as file:
        file.write(end.to_json())


def _read(line: bytes, number: int) -> StoredEvent | DamagedLine:
    try:
        content = json_value(line, deepest=DEEPEST)
    except ValueError as error:
        return DamagedLine(number, f"it is not JSON: {error}")
    if not isinstance(content, dict):
        return DamagedLine(number, "it is no JSON object")
    for key, kind in _TYPES.items():
        if type(content.get(key)) is not kind:
            return DamagedLine(number, f"its '{key}' is missing, or is no {kind.__name__}")
    return StoredEvent(line, content)
