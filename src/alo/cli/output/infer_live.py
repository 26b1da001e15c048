"""How a batch is shown while it runs: a line for each shard, on a terminal one line for all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from alo.batch.cutting.shard import Shard
from alo.batch.shards.drive import Reports, ShardDrive
from alo.batch.shards.record import FAILED, SPLIT, Outcome, ShardState
from alo.cli.output.console import Screen, own_stdout
from alo.cli.output.format import duration
from alo.cli.output.live import JsonEvents, RunDisplay
from alo.errors import AloError, Interrupted, in_one_line
from alo.events.envelope import Envelope
from alo.events.log_lines import warning
from alo.events.types import (
    BatchFinished,
    CommandFailed,
    Event,
    Progress,
    ShardFinished,
    ShardStarted,
    StepStarted,
)
from alo.texts import counted

DRAW_S = 0.2


class InferDisplay:
    """Shows the run of a batch, and its shards as they begin and end; a listener."""

    def __init__(self, name: str, screen: Screen, *, as_json: bool) -> None:
        self._name, self._screen = name, screen
        self._send = JsonEvents(screen) if as_json else None
        self._of_run = RunDisplay(screen)
        self._drive: ShardDrive | None = None
        self._total = 0
        self._drawn = 0.0
        self.run_id = ""

    def __call__(self, event: Event) -> None:
        if self._send is not None:
            self._send(event)
        elif not isinstance(event, Progress | StepStarted) or _is_staging(event):
            self._of_run(event)

    def of_run(self, envelope: Envelope) -> None:
        """An event of the run that the shards are to become."""
        self.run_id = envelope.run_id
        if self._send is not None:
            self._send.of_run(envelope)
        else:
            self(envelope.event)

    def watch(self, drive: ShardDrive, shards: int) -> Reports:
        """Know the drive, and how many shards there are."""
        self._drive, self._total = drive, shards
        if self._send is None:
            again = f", {len(drive.reused):,} of them done already" if drive.reused else ""
            self._screen.line(f"batch {self._name}: {counted(shards, 'shard')}{again}")
        return Reports(self._started, self._ended, self._draw, self._warned)

    def _started(self, shard: Shard, attempt: int) -> None:
        if self._send is not None:
            self._send(ShardStarted(shard.name, shard.rows, attempt))
        self._draw()

    def _ended(self, shard: Shard, state: ShardState) -> None:
        if self._send is not None:
            self._send(
                ShardFinished(shard.name, state.state, state.attempts, state.seconds, state.error)
            )
        elif not self._screen.is_live or state.state in (FAILED, SPLIT):
            rows = "" if shard.rows is None else f"  {counted(shard.rows, 'row')}"
            error = f"  {in_one_line(state.error)}" if state.error else ""
            line = f"shard {shard.name}{rows}  {duration(state.seconds)}  {state.state}{error}"
            self._screen.line(line, "red" if state.state == FAILED else "")
        self._draw()

    def _warned(self, text: str) -> None:
        self(warning(text))

    def _draw(self) -> None:
        drive = self._drive
        if self._send is not None or drive is None or not self._screen.is_live:
            return
        if time.monotonic() - self._drawn >= DRAW_S:
            self._drawn = time.monotonic()
            failed = f", {len(drive.failed):,} failed" if drive.failed else ""
            shown = f"{drive.ended:,} of {self._total:,} shards, {drive.running} run{failed}"
            self._screen.draw(shown)

    def erase(self) -> None:
        """Take the live line away."""
        self._screen.erase()

    def finished(self, outcome: Outcome) -> None:
        """The batch has become a run."""
        self._screen.erase()
        if self._send is not None:
            content = outcome.to_json()
            self._send(BatchFinished(**content))  # type: ignore[arg-type]
            return
        counts = [f"{outcome.done:,} of {outcome.total:,} shards"]
        if outcome.reused:
            counts.append(f"{outcome.reused:,} done before")
        if outcome.rows_failed:
            what = "file" if outcome.rows_in is None else "row"
            counts.append(f"{counted(outcome.rows_failed, what)} failed")
        self._screen.line(f"batch {self._name}: {', '.join(counts)}")
        if not outcome.is_complete:
            self._screen.line(
                f"{counted(outcome.failed, 'shard is', 'shards are')} left out: alo infer --resume "
                f"{self._name} tries {'it' if outcome.failed == 1 else 'them'} again",
                "red",
            )

    def gave_up(self, error: AloError) -> None:
        """It has not become one."""
        self._screen.erase()
        if self._send is None:
            return
        drive = self._drive
        status = "interrupted" if isinstance(error, Interrupted) else "failed"
        done = drive.ended - len(drive.failed) if drive else 0
        counts = {
            "total": self._total,
            "done": max(done, 0),
            "failed": len(drive.failed) if drive else 0,
            "reused": len(drive.reused) if drive else 0,
        }
        self._send(BatchFinished(self._name, self.run_id, status, None, 0, 0, counts, ""))
        self._send(CommandFailed(error.what, error.where, error.fix, "", error.exit_status))


def _is_staging(event: Event) -> bool:
    """Whether it says how far the staging is."""
    return isinstance(event, Progress) and event.task == "staging"


@contextmanager
def infer_display(name: str, *, as_json: bool) -> Iterator[InferDisplay]:
    """The display of a batch, until the end of the block."""
    if not as_json:
        display = InferDisplay(name, Screen(), as_json=False)
        try:
            yield display
        finally:
            display.erase()
        return
    with own_stdout(others=2) as out:
        display = InferDisplay(name, Screen(out), as_json=True)
        try:
            yield display
        except AloError as error:
            display.gave_up(error)
            raise
