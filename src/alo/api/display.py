"""What a person at a notebook sees of a run, or whoever listens in their place."""

from __future__ import annotations

import sys

from alo.engine.run import OneAtATime
from alo.events.types import Event, Listener, LogLine, Output, SettingUp, StepFinished

HOW = {"error": "failed", "cached": "as before"}


class Display:
    """Writes to standard output as it is outside of a step, where prints are events themselves."""

    def __init__(self) -> None:
        self._stream = sys.stdout

    def attach(self) -> None:
        """Write to what is standard output now: a notebook may redirect that of one cell."""
        self._stream = sys.stdout

    def __call__(self, event: Event) -> None:
        if isinstance(event, Output):
            self._stream.write(event.text)
        elif isinstance(event, SettingUp):
            self._stream.write(f"setup  {event.text}\n")
        elif isinstance(event, LogLine) and (event.source == "USER" or event.level != "INFO"):
            self._stream.write(f"{event.format()}\n")
        elif isinstance(event, StepFinished):
            how = HOW.get(event.status, "done")
            place = f"step {event.number} of {event.total}  {event.step}"
            self._stream.write(f"{place}  {how} in {event.seconds:.2f} s\n")


class Audience:
    """The listener of a project: one event at a time, and none in a call in which it has failed."""

    def __init__(self, listener: Listener | None) -> None:
        self._listener = Display() if listener is None else listener
        self.attach()

    def attach(self) -> None:
        """A call of the API begins."""
        if isinstance(self._listener, Display):
            self._listener.attach()
        self._send = OneAtATime(self._listener)

    def __call__(self, event: Event) -> None:
        self._send(event)
