"""How a sweep is shown while it runs: a line for each trial, and on a terminal the best so far."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alo.batch.sweep.definition import Definition
from alo.batch.sweep.drive import SweepDrive
from alo.batch.sweep.sweep import Outcome
from alo.batch.sweep.trials import COMPLETE, DUPLICATE, FAILURES, Trial, best_of
from alo.cli.output import console
from alo.cli.output.console import Screen, own_stdout
from alo.cli.output.format import duration
from alo.cli.output.live import JsonEvents
from alo.cli.output.sweep_report import shown_value, table_of
from alo.errors import AloError
from alo.events.log_lines import warning
from alo.events.types import (
    CommandFailed,
    Event,
    LogLine,
    SettingUp,
    SweepFinished,
    TrialFinished,
    TrialStarted,
)
from alo.texts import counted

SHOWN_BEST = 10
SHOWN_LIVE = 5  # while it runs
DRAW_S = 0.2


class SweepDisplay:
    """Shows trials as they begin and end.

    Args:
        trials: how many there will be; None: it is not known.
    """

    def __init__(
        self, definition: Definition, trials: int | None, screen: Screen, *, as_json: bool
    ) -> None:
        self._definition, self._total, self._screen = definition, trials, screen
        self._send = JsonEvents(screen) if as_json else None
        self._drive: SweepDrive | None = None
        self._drawn = 0.0
        self._shown: tuple[str, Sequence[str]] | None = None

    def of_setup(self, event: Event) -> None:
        """What is reported before there are trials."""
        if self._send is not None:
            self._send(event)
        elif isinstance(event, SettingUp):
            self._screen.line(event.text)
        elif isinstance(event, LogLine) and event.level != "INFO":
            self._screen.line(f"{event.level.lower()}: {event.text}")

    def warned(self, text: str) -> None:
        """Something that should be known of where the trials run."""
        self.of_setup(warning(text))

    def watch(self, drive: SweepDrive) -> None:
        """Know the sweep that is shown."""
        self._drive = drive
        known = sum(each.has_ended for each in drive.trials.values())
        if known:
            had = counted(known, "trial has", "trials have")
            self.of_setup(SettingUp(f"{had} ended already; the others run now"))

    def started(self, trial: Trial) -> None:
        """A trial begins."""
        if self._send is not None:
            self._send(TrialStarted(trial.number, trial.values))
        self.progressed()

    def ended(self, trial: Trial) -> None:
        """A trial has ended."""
        if self._send is not None:
            error = trial.error
            self._send(
                TrialFinished(
                    trial.number, trial.state, trial.results, trial.seconds, trial.run_id, error
                )
            )
            return
        if trial.state == DUPLICATE:
            said = f"as trial {trial.reused_from}"
        elif trial.state == COMPLETE:
            said = ", ".join(f"{name} {shown_value(each)}" for name, each in trial.results.items())
        else:
            said = ": ".join([trial.state, *trial.error.splitlines()[:1]])
        args = " ".join(f"{name}={shown_value(each)}" for name, each in trial.values.items())
        style = "red" if trial.state in FAILURES else ""
        self._screen.line(f"trial {trial.number}  {duration(trial.seconds)}  {said}  {args}", style)
        if self._shown:
            self._screen.draw(*self._shown)
        self.progressed()

    def progressed(self) -> None:
        """Something has happened: a terminal shows how far it is, now and then."""
        if self._send is not None or self._drive is None or not self._screen.is_live:
            return
        if time.monotonic() - self._drawn >= DRAW_S:
            self._drawn = time.monotonic()
            self._shown = self._state_of(self._drive)
            self._screen.draw(*self._shown)

    def _state_of(self, drive: SweepDrive) -> tuple[str, Sequence[str]]:
        """How far it is, and the best so far as a table."""
        ended = sum(each.has_ended for each in drive.trials.values())
        best = best_of(drive.trials.values(), self._definition.metrics)[:SHOWN_LIVE]
        of = "" if self._total is None else f" of {self._total:,}"
        table = console.table(*table_of(self._definition, best)).split("\n") if best else ()
        return f"{ended:,}{of} trials, {drive.running} run", table

    def finished(self, outcome: Outcome) -> None:
        """The sweep has ended."""
        self._screen.erase()
        if self._send is not None:
            best = tuple(
                {
                    "trial": each.number,
                    "values": dict(each.results),
                    "args": dict(each.values),
                    "run_id": each.run_id,
                }
                for each in outcome.best[:SHOWN_BEST]
            )
            self._send(SweepFinished(outcome.definition.name, dict(outcome.counts), best))


@contextmanager
def sweep_display(
    definition: Definition, trials: int | None, *, as_json: bool
) -> Iterator[SweepDisplay]:
    """The display of a sweep, until the end of the block."""
    if not as_json:
        yield SweepDisplay(definition, trials, Screen(), as_json=False)
        return
    with own_stdout(others=2) as out:
        screen = Screen(out)
        try:
            yield SweepDisplay(definition, trials, screen, as_json=True)
        except AloError as error:
            send = JsonEvents(screen)
            send(CommandFailed(error.what, error.where, error.fix, "", error.exit_status))
            raise
