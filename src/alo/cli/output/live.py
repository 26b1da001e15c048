"""How a run is shown while it runs: listeners that turn its events into lines or JSON.

Here: what is written when. Not here: what is in the report at the end (``report.py``), how a
line gets to the terminal (``console.py``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from alo.cli.output.console import Screen, own_stdout
from alo.cli.output.format import duration, size, whole_seconds
from alo.cli.output.report import run_report
from alo.errors import AloError, StepError
from alo.events.envelope import Envelope
from alo.events.types import (
    CommandFailed,
    Event,
    Listener,
    LogLine,
    Output,
    Progress,
    RunFinished,
    RunStarted,
    SettingUp,
    StepFinished,
    StepStarted,
)

TICK_S = 0.25  # how often the live line is drawn anew
LEVEL_STYLES = {"WARNING": "yellow", "ERROR": "red"}
ENDINGS = {"error": "failed", "cached": "cached"}  # of steps that did not simply run


@contextmanager
def watched(*, quiet: bool = False, as_json: bool = False) -> Iterator[Listener]:
    """A listener that shows a run as the options ask for, until the end of the block."""
    if quiet:
        with open(os.devnull, "w") as nowhere, own_stdout(others=nowhere.fileno()):
            yield _ignore
    elif as_json:
        with own_stdout(others=2) as out:
            yield from _as_json(Screen(out))
    else:
        with RunDisplay(Screen()) as display:
            yield display


def _ignore(event: Event) -> None:
    """``--quiet``: errors come as exceptions, not as events."""


class JsonEvents:
    """Each event as a line of JSON; those of a run as they are in its ``events.jsonl``."""

    def __init__(self, screen: Screen) -> None:
        self._screen, self._count = screen, 0

    def __call__(self, event: Event) -> None:
        self.of_run(Envelope("", "", self._count, time.time(), event))
        self._count += 1

    def of_run(self, envelope: Envelope) -> None:
        """An event of a run, with its place in it."""
        self._screen.json_line(envelope.to_json())


def _as_json(screen: Screen) -> Iterator[Listener]:
    send = JsonEvents(screen)
    try:
        yield send
    except AloError as error:
        traceback = error.user_traceback if isinstance(error, StepError) else ""
        send(CommandFailed(error.what, error.where, error.fix, traceback, error.exit_status))
        raise


class RunDisplay:
    """Lines for people. On a terminal, the step that runs and its clock are drawn below them."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._step: StepStarted | None = None
        self._since = 0.0
        self._progress = ""
        self._finished: list[StepFinished] = []
        self._shown: list[tuple[str, str]] = []  # step and text of each line saved with show=True
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> RunDisplay:
        if self._screen.is_live:
            self._ticker = threading.Thread(target=self._tick, name="alo-display", daemon=True)
            self._ticker.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        if self._ticker is not None:
            self._ticker.join()
        self._screen.erase()

    def __call__(self, event: Event) -> None:
        match event:
            case Output():  # first, as there may be a million
                self._screen.passed_on(event.stream, event.text)
            case LogLine():
                self._show_log_line(event)
            case RunStarted():
                self._finished, self._shown = [], []
                self._screen.line(f"{event.pipeline}  {event.solution}  {event.run_id}", "bold")
            case SettingUp():
                self._screen.line(f"setup  {event.text}")
            case StepStarted():
                self._start_step(event)
            case StepFinished():
                self._finish_step(event)
            case Progress():
                self._progress = _progress_text(event)
                self._draw()
            case RunFinished():
                self._end(event)

    def _start_step(self, event: StepStarted) -> None:
        self._step, self._since, self._progress = event, time.monotonic(), ""
        if self._screen.is_live:
            self._draw()
        else:
            self._screen.line(_step_text(event))

    def _finish_step(self, event: StepFinished) -> None:
        self._step = None
        self._finished.append(event)
        if self._screen.is_live:
            ending = "" if event.status == "success" else f"  {ENDINGS[event.status]}"
            self._screen.line(f"{_step_text(event)}  {duration(event.seconds)}{ending}")

    def _show_log_line(self, line: LogLine) -> None:
        if line.show:
            step = self._step.step if self._step else ""
            self._shown.append((step, line.text))
        if line.source == "USER":
            self._screen.line(line.format(), LEVEL_STYLES.get(line.level, ""))
        elif line.level == "WARNING":
            self._screen.line(f"warning: {line.text}", "yellow")

    def _end(self, event: RunFinished) -> None:
        self._step, self._progress = None, ""
        self._screen.line("\n".join(run_report(event, self._finished, self._shown)))

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            self._draw()

    def _draw(self) -> None:
        parts = [self._progress]
        if step := self._step:
            parts = [_step_text(step), whole_seconds(time.monotonic() - self._since), *parts]
        if text := "  ".join(filter(None, parts)):
            self._screen.draw(text)


def _step_text(event: StepStarted | StepFinished) -> str:
    return f"step {event.number} of {event.total}  {event.step}"


def _progress_text(event: Progress) -> str:
    in_bytes = event.unit == "B"
    done = size(event.done) if in_bytes else f"{event.done} {event.unit}"
    if event.total is None:
        return f"{event.task}  {done}"
    return f"{event.task}  {done} of {size(event.total) if in_bytes else event.total}"
