from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from alo.events.envelope import Envelope
from alo.events.journal import EVENTS_LOG
from alo.events.stored import DamagedLine, StoredEvent, StoredEvents, end_of_killed, first_run
from alo.events.types import Output, RunFinished

RUN_ID = "20260101T000000Z-00000001-test"
FINISHED = RunFinished(RUN_ID, "train", "interrupted", 0.0, None, "/artifacts", "/entry")


def line(sequence: int, text: str = "x") -> bytes:
    return Envelope(RUN_ID, "train", sequence, float(sequence), Output("stdout", text)).to_json()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / EVENTS_LOG
    path.write_bytes(b"".join(map(line, range(10))))
    return path


def sequences(path: Path, since: int = 0) -> list[int]:
    with StoredEvents(path, since) as events:
        return [each.sequence for each in events.new() if isinstance(each, StoredEvent)]


@pytest.mark.parametrize("since", [0, 1, 7, 9, 10, 99])
def test_reading_begins_at_any_event(path: Path, since: int) -> None:
    assert sequences(path, since) == list(range(since, 10))


def test_the_middle_is_not_taken_for_it_in_a_text_that_looks_like_it(path: Path) -> None:
    path.write_bytes(line(0, '"sequence": 5,') + line(1) + line(2, '"sequence": 0,'))

    assert sequences(path, 1) == [1, 2]


def test_what_comes_while_it_is_read_is_read_too(path: Path) -> None:
    with StoredEvents(path) as events:
        assert len(list(events.new())) == 10
        assert list(events.new()) == []
        with path.open("ab") as file:
            file.write(line(10) + line(11)[:30])
        assert [each for each in events.new()] == [_stored(10)]
        with path.open("ab") as file:
            file.write(line(11)[30:])
        assert list(events.new()) == [_stored(11)]


def _stored(sequence: int) -> StoredEvent:
    import json

    return StoredEvent(line(sequence), json.loads(line(sequence)))


@pytest.mark.parametrize("cut", [1, 30, 100, len(line(10)) - 1])
def test_half_a_last_line_is_no_event_and_no_damage(path: Path, cut: int) -> None:
    with path.open("ab") as file:
        file.write(line(10)[:cut])

    with StoredEvents(path) as events:
        assert [type(each) for each in events.new()] == [StoredEvent] * 10


def test_two_readers_do_not_disturb_each_other(path: Path) -> None:
    with StoredEvents(path) as one, StoredEvents(path, 5) as other:
        first = next(one.new())
        assert [each.sequence for each in other.new()] == [5, 6, 7, 8, 9]  # type: ignore[union-attr]
        assert first == _stored(0)
        assert len(list(one.new())) == 9


DAMAGE = [
    (b"\0" * 200, "not JSON"),  # as a power failure leaves it
    (line(4)[:60] + line(5)[:-1], "not JSON"),
    (b"[]", "no JSON object"),
    (b"{}", "'run_id' is missing"),
    (line(4).replace(b'"sequence": 4', b'"sequence": "4"')[:-1], "'sequence'"),
    (line(4).replace(b'"sequence": 4', b'"sequence": true')[:-1], "'sequence'"),
    (b"\xff\xfe", "not JSON"),
    (b"[" * 100_000, "nested too deeply"),
    (b"", "not JSON"),
]


@pytest.mark.parametrize(("damage", "what"), DAMAGE, ids=lambda value: str(value)[:20])
def test_a_damaged_line_is_passed_over_and_reported(path: Path, damage: bytes, what: str) -> None:
    path.write_bytes(line(0) + damage + b"\n" + line(1))

    with StoredEvents(path) as events:
        first, damaged, second = events.new()

    assert (first, second) == (_stored(0), _stored(1))
    assert isinstance(damaged, DamagedLine)
    assert damaged.number == 2
    assert what in damaged.what


def test_of_a_million_lines_the_last_are_found_in_little_memory(path: Path) -> None:
    with path.open("wb") as file:
        for sequence in range(1_000_000):
            file.write(b'{"run_id": "x", "pipeline": "train", "sequence": %d, "z": 1}\n' % sequence)
        file.write(line(1_000_000))
    tracemalloc.start()
    try:
        assert sequences(path, 1_000_000) == [1_000_000]
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_the_run_of_a_file_is_that_of_its_first_event(path: Path, tmp_path: Path) -> None:
    assert first_run(path) == RUN_ID
    assert first_run(tmp_path / "none") == ""
    path.write_bytes(line(0)[:50])
    assert first_run(path) == ""


@pytest.mark.parametrize("cut", [0, 1, 50, len(line(10)) - 1])
def test_a_killed_run_gets_an_end_in_place_of_half_a_line(path: Path, cut: int) -> None:
    with path.open("ab") as file:
        file.write(line(10)[:cut])

    end_of_killed(path.parent, FINISHED)
    end_of_killed(path.parent, FINISHED)  # should the first have been cut off after it

    with StoredEvents(path) as events:
        *others, last = events.new()
    assert others == [_stored(sequence) for sequence in range(10)]
    assert isinstance(last, StoredEvent)
    assert last.sequence == 10
    assert last.event() == FINISHED._replace(seconds=9.0)


@pytest.mark.parametrize("content", [None, b"", line(0)[:50], line(0).replace(b"test", b"else")])
def test_without_events_of_its_own_a_killed_run_gets_no_end(
    path: Path, content: bytes | None
) -> None:
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    end_of_killed(path.parent, FINISHED)

    assert (path.read_bytes() if path.exists() else None) == content
