"""``alo history follow`` and ``alo history show --events``: a run, by its stored events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from alo.cli.output import console
from alo.cli.output.live import RunDisplay
from alo.errors import HistoryError
from alo.events.envelope import NAMES
from alo.events.stored import DamagedLine, StoredEvent
from alo.events.types import LeftOut, LogLine, RunFinished
from alo.history.follow import Run, follow, running, wait_for_run
from alo.layout import Workspace

if TYPE_CHECKING:
    from alo.history.browse import History

NO_EVENTS = "it was made by an earlier version of ALO, or its plan keeps no logs (backup_log)"


def follow_run(
    history: History, workspace: Workspace, prefix: str, *, as_json: bool, wait: bool
) -> None:
    """Show a run as its own console does, until it has ended.

    Args:
        prefix: of its id; empty: the run in progress, or else the next one.
        wait: for the next run, where none is in progress.
    """
    run = _named(history, prefix) if prefix else _running(workspace, wait)
    if run is None:
        return
    seen = _Seen(follow(workspace, run))
    if as_json:
        _print_json(seen)
    else:
        _display(seen)
    if not seen.last:
        console.write_error(f"run {run.id} has no events: {NO_EVENTS}")
    elif seen.last != NAMES[RunFinished]:
        console.write_error(f"run {run.id} was killed; the next run puts it into history")


def show_events(history: History, workspace: Workspace, prefix: str, *, as_json: bool) -> None:
    """List the events of a run; of one in progress, those until now.

    Raises:
        HistoryError: it has none.
    """
    run = _named(history, prefix)
    seen = _Seen(follow(workspace, run, to_its_end=False))
    if as_json:
        _print_json(seen)
    else:
        for event in seen:
            console.write(_line(event.content))
    if not seen.last:
        raise HistoryError(f"run {run.id} has no events: {NO_EVENTS}")


class _Seen:
    """Events on their way; damaged lines are reported, and passed over."""

    def __init__(self, events: Iterable[StoredEvent | DamagedLine]) -> None:
        self._events = events
        self.last = ""  # the name of the last event

    def __iter__(self) -> Iterator[StoredEvent]:
        for each in self._events:
            if isinstance(each, DamagedLine):
                console.write_error(f"line {each.number} of the events is skipped: {each.what}")
                continue
            self.last = each.name
            yield each


def _named(history: History, prefix: str) -> Run:
    record = history.look_up(prefix)
    return Run(record.id, record.pipeline)


def _running(workspace: Workspace, wait: bool) -> Run | None:
    if (run := running(workspace)) is not None:
        return run
    more = "; waiting for the next" if wait else ""
    console.write_error(f"no run is in progress in this project{more}")
    return wait_for_run(workspace) if wait else None


def _print_json(events: Iterable[StoredEvent]) -> None:
    for each in events:
        console.write_json_line(each.line)


def _display(events: Iterable[StoredEvent]) -> None:
    screen, errors = console.Screen(), list[str]()
    with RunDisplay(screen) as display:
        for each in events:
            event = each.event()
            if isinstance(event, LogLine) and (event.source, event.level) == ("ALO", "ERROR"):
                errors.append(event.text)  # the console of the run itself has it from the command
            elif isinstance(event, LeftOut):
                screen.line(_left_out(event), "yellow")
            elif event is not None:
                display(event)
            if not screen.has_reader:
                raise console.ReaderGone
    for text in errors:
        console.write_error(f"error: {text}")


def _left_out(event: LeftOut) -> str:
    amount = f"{event.events} prints and log lines ({event.characters} characters)"
    return f"{amount} are not in the events of this run; log/pipeline.log has them"


def _line(content: Mapping[str, object]) -> str:
    """An envelope as one line for people."""
    payload = content["payload"]
    fields = payload if isinstance(payload, Mapping) else {}
    text = fields.get("text")
    if not isinstance(text, str):
        shown = {key: _shown(value) for key, value in fields.items()}
        text = ", ".join(f"{key} {value}" for key, value in shown.items() if value)
    place = f"{content['time']}  {content['sequence']:>5}  {content['event']:13}"
    return console.one_line(f"{place}  {text.rstrip()}")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, Mapping):
        return " ".join(f"{key}={each}" for key, each in value.items())
    return "" if value is None else str(value)
