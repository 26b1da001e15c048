"""What ``log/events.jsonl`` costs: an event, and those of a run of a thousand empty steps."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time

from alo.events.journal import EventJournal
from alo.events.stored import StoredEvent, StoredEvents
from alo.events.types import Event
from benchmarks.processes import Command, alo, by_turns
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

STEPS = 1000
ROUNDS = 15


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = write_empty_solution(Path(folder) / "solution", STEPS)
        (run,) = by_turns(Command(alo("run", "--project", home)), rounds=3)
        events = _events_of(home / "train_artifacts/log/events.jsonl")
        ours_s, plain_s = _by_turns(
            lambda: _written_by_the_journal(Path(folder), events),
            lambda: _written_plainly(Path(folder), events),
        )
    each_us, plain_us = (seconds / len(events) * 1e6 for seconds in (ours_s, plain_s))
    what = f"the events of {STEPS:,} empty steps : the run"
    return [
        Row("an event of a run : json.dumps and os.write of it", each_us, plain_us, 1.5, "µs"),
        Row("an event of a run", each_us, None, 10, "µs"),
        Row(what, ours_s * 1e3, run.wall_s * 1e3, 0.03, "ms"),
    ]


def _events_of(path: Path) -> list[Event]:
    with StoredEvents(path) as stored:
        read = [each.event() for each in stored.new() if isinstance(each, StoredEvent)]
    return [event for event in read if event is not None]


def _by_turns(*works: Callable[[], object]) -> Sequence[float]:
    """Seconds of CPU that each takes, the median of some rounds in turns."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, taken, strict=True):
            began = process_time()
            work()
            times.append(process_time() - began)
    return [statistics.median(times) for times in taken]


def _written_by_the_journal(folder: Path, events: Sequence[Event]) -> None:
    journal = EventJournal(
        folder, "20260101T000000Z-00000001-x", "train", STEPS, lambda event: None
    )
    for event in events:
        journal(event)
    journal.close()
    (folder / "events.jsonl").unlink()


def _written_plainly(folder: Path, events: Sequence[Event]) -> None:
    path = folder / "plain.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, event in enumerate(events):
        line = json.dumps({"run_id": "x", "sequence": number, "payload": event._asdict()})
        os.write(descriptor, line.encode() + b"\n")
    os.close(descriptor)
    path.unlink()


if __name__ == "__main__":
    show(measure())
