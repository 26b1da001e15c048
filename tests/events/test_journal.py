from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.errors import RunError
from alo.events.envelope import Envelope
from alo.events.journal import END_BYTES, EVENTS_LOG, MOST_BYTES, EventJournal
from alo.events.types import Event, LeftOut, LogLine, Output, RunFinished, RunStarted, StepStarted

RUN_ID = "20260101T000000Z-00000001-test"
STARTED = RunStarted(RUN_ID, "train", ("a",), "test")
FINISHED = RunFinished(RUN_ID, "train", "success", 1.0, None, "/artifacts", "/entry")


class Told:
    """Remembers what it is told, in envelopes and without."""

    def __init__(self) -> None:
        self.apart: list[Event] = []
        self.envelopes: list[Envelope] = []

    def __call__(self, event: Event) -> None:
        self.apart.append(event)

    def of_run(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def reported() -> Told:
    return Told()


@pytest.fixture
def make(tmp_path: Path, reported: Told) -> Iterator[Callable[..., EventJournal]]:
    made = []

    def make_it(steps: int = 1) -> EventJournal:
        made.append(EventJournal(tmp_path, RUN_ID, "train", steps, reported))
        return made[-1]

    yield make_it
    for journal in made:
        journal.close()


@pytest.fixture
def journal(make: Callable[..., EventJournal]) -> EventJournal:
    return make()


def stored(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / EVENTS_LOG).read_bytes().splitlines()]


def printed(text: str) -> Output:
    return Output("stdout", text)


def end(journal: EventJournal, event: RunFinished = FINISHED) -> None:
    journal.ending(event)
    journal.close()
    journal.report_end()


def test_what_is_passed_on_is_what_is_in_the_file(
    journal: EventJournal, reported: Told, tmp_path: Path
) -> None:
    for event in (STARTED, StepStarted("a", 1, 1), printed("한글\n")):
        journal(event)
    end(journal)

    lines = (tmp_path / EVENTS_LOG).read_bytes()
    assert lines == b"".join(envelope.to_json() for envelope in reported.envelopes)
    assert [each["sequence"] for each in stored(tmp_path)] == [0, 1, 2, 3]
    assert {(each["run_id"], each["pipeline"]) for each in stored(tmp_path)} == {(RUN_ID, "train")}
    assert reported.apart == []


def test_an_event_is_in_the_file_before_it_is_passed_on(tmp_path: Path) -> None:
    seen = []
    journal = EventJournal(
        tmp_path, RUN_ID, "train", 1, lambda event: seen.append(len(stored(tmp_path)))
    )

    journal(STARTED)
    journal(printed("x"))
    journal.close()

    assert seen == [1, 2]


def test_the_end_is_neither_written_nor_reported_before_it_is_settled(
    journal: EventJournal, reported: Told, tmp_path: Path
) -> None:
    journal(STARTED)
    first = journal.ending(FINISHED)  # then the history entry cannot be made
    journal(printed("and so it fails"))
    second = journal.ending(FINISHED._replace(status="error"))

    assert (json.loads(first)["sequence"], json.loads(second)["sequence"]) == (1, 2)
    assert [each["event"] for each in stored(tmp_path)] == ["run_started", "output"]
    journal.close()
    assert (tmp_path / EVENTS_LOG).read_bytes().endswith(second)
    assert len(reported.envelopes) == 2
    journal.report_end()
    assert [envelope.to_json() for envelope in reported.envelopes[2:]] == [second]


def test_what_comes_after_the_end_is_reported_apart(
    journal: EventJournal, reported: Told, tmp_path: Path
) -> None:
    end(journal)
    journal(printed("too late"))

    assert reported.apart == [printed("too late")]
    assert len(stored(tmp_path)) == 1


def test_threads_take_numbers_without_gaps_and_in_the_files_order(
    journal: EventJournal, reported: Told, tmp_path: Path
) -> None:
    def speak(name: int) -> None:
        for number in range(100):
            journal(printed(f"{name}:{number}\n"))

    threads = [threading.Thread(target=speak, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each["sequence"] for each in stored(tmp_path)] == list(range(400))
    assert [envelope.sequence for envelope in reported.envelopes] == list(range(400))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the threads are pytest's
def test_forked_processes_take_numbers_of_their_own(journal: EventJournal, tmp_path: Path) -> None:
    journal(STARTED)
    children = []
    for name in range(4):
        if not (child := os.fork()):
            for number in range(100):
                journal(printed(f"{name}:{number}\n"))
            os._exit(0)
        children.append(child)
    for number in range(100):
        journal(printed(f"parent:{number}\n"))
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    end(journal)

    events = stored(tmp_path)
    assert [each["sequence"] for each in events] == list(range(502))
    texts = {each["payload"]["text"] for each in events if each["event"] == "output"}
    assert len(texts) == 500
    assert events[-1]["event"] == "run_finished"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_that_outlives_the_run_writes_nothing_behind_its_end(
    journal: EventJournal, tmp_path: Path
) -> None:
    waiting, go = os.pipe()
    if not (child := os.fork()):
        os.read(waiting, 1)
        journal(printed("still here"))
        os._exit(0)
    end(journal)
    os.write(go, b"x")
    os.waitpid(child, 0)
    os.close(waiting)
    os.close(go)

    assert [each["event"] for each in stored(tmp_path)] == ["run_finished"]


@pytest.mark.parametrize("size", [50, 100_000, 1 << 20])
def test_an_asset_that_prints_more_than_there_is_room_for(
    journal: EventJournal, reported: Told, tmp_path: Path, size: int
) -> None:
    count = 6_000_000 // size
    journal(STARTED)
    for _ in range(count):
        journal(printed("x" * size))
    journal(StepStarted("b", 1, 1))
    journal(printed("more"))
    end(journal)

    events = stored(tmp_path)
    assert (tmp_path / EVENTS_LOG).stat().st_size <= MOST_BYTES
    assert [each["sequence"] for each in events] == list(range(len(events)))
    names = [each["event"] for each in events if each["event"] != "output"]
    # Of the first it is reported at once, of others when there is something else to tell.
    assert names[:2] == ["run_started", "left_out"]
    assert names[-3:] == ["step_started", "left_out", "run_finished"]
    left = [each["payload"] for each in events if each["event"] == "left_out"]
    kept = [each for each in events if each["event"] == "output"]
    assert sum(each["events"] for each in left) == count + 1 - len(kept)
    assert sum(each["characters"] for each in left) == (count - len(kept)) * size + len("more")
    assert len(reported.apart) == count + 1 - len(kept)


def test_steps_have_room_whatever_is_printed(
    make: Callable[..., EventJournal], tmp_path: Path
) -> None:
    journal = make(steps=3000)
    for _ in range(40):
        journal(printed("x" * 100_000))
    for number in range(3000):
        journal(StepStarted(f"a_step_with_a_long_name_{number}", number, 3000))
        journal(StepStarted(f"a_step_with_a_long_name_{number}", number, 3000))
    end(journal)

    events = stored(tmp_path)
    assert sum(each["event"] == "step_started" for each in events) == 6000
    assert (tmp_path / EVENTS_LOG).stat().st_size <= MOST_BYTES


def test_more_steps_than_there_is_room_for_are_left_out_and_the_end_is_there(
    journal: EventJournal, tmp_path: Path
) -> None:
    for number in range(50):
        journal(StepStarted("a" * 100_000, number, 50))
    end(journal)

    events = stored(tmp_path)
    kept = sum(each["event"] == "step_started" for each in events)
    left = [each["payload"]["events"] for each in events if each["event"] == "left_out"]
    assert (tmp_path / EVENTS_LOG).stat().st_size <= MOST_BYTES
    assert kept + sum(left) == 50
    assert [each["event"] for each in events[-2:]] == ["left_out", "run_finished"]


def test_a_summary_that_is_too_large_for_the_end_is_left_to_the_record(
    journal: EventJournal, reported: Told, tmp_path: Path
) -> None:
    journal(STARTED)
    end(journal, FINISHED._replace(summary={"probability": {"x" * END_BYTES: 1.0}}))

    assert stored(tmp_path)[-1]["payload"]["summary"] is None
    assert reported.envelopes[-1].event == FINISHED


def test_of_an_asset_that_logs_warnings_the_engines_own_are_kept(
    journal: EventJournal, tmp_path: Path
) -> None:
    line = LogLine(0.0, "USER", "WARNING", "asset_a.py", 1, "run", "x" * 1000)
    for _ in range(5000):
        journal(line)
    journal(line._replace(source="ALO", level="ERROR", text="why it failed"))

    assert stored(tmp_path)[-1]["payload"]["text"] == "why it failed"


def full_disk(monkeypatch: pytest.MonkeyPatch, *, after: int = 0) -> None:
    """No write comes through from now on; of the first so many bytes do."""
    write, left = os.write, [after]

    def fail(descriptor: int, content: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(descriptor, content[: left[0]])
        left[0] = 0
        return written

    monkeypatch.setattr(os, "write", fail)


@pytest.mark.parametrize("after", [0, 40])
def test_on_a_full_disk_the_run_fails_as_it_does_for_its_logs_and_no_half_line_is_left(
    journal: EventJournal,
    reported: Told,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    journal(STARTED)
    with monkeypatch.context() as patched:
        full_disk(patched, after=after)
        journal(printed("lost"))  # never an error in the asset's own print

    with pytest.raises(RunError, match="No space left") as caught:
        journal.check()
    journal.check()
    end(journal, FINISHED._replace(status="error"))

    assert "make room" in caught.value.fix
    assert reported.apart == [printed("lost")]
    events = stored(tmp_path)
    assert [each["sequence"] for each in events] == list(range(len(events)))
    assert [each["event"] for each in events] == ["run_started", "left_out", "run_finished"]
    assert events[1]["payload"] == LeftOut(1, 4)._asdict()
