"""The classes of requests over time, next to the train run."""

from __future__ import annotations

from alo.history.record import RunRecord
from alo.ui.class_mixes import MOST_PARTS, parts_of

TRAIN = {"a": 0.5, "b": 0.5}


def record(number: int, **fields: object) -> RunRecord:
    usual = {"status": "success", "result": "a"}
    start = f"2026-01-01T00:00:{number:02}.000000Z"
    return RunRecord(f"r{number}", "inference", start_time=start, **{**usual, **fields})  # type: ignore[arg-type]


def newest_first(count: int, **fields: object) -> list[RunRecord]:
    return [record(number, **fields) for number in reversed(range(count))]


def test_parts_are_in_the_order_of_time_and_have_each_request_once() -> None:
    parts = parts_of(newest_first(45), TRAIN)

    assert [part.requests for part in parts] == [11, 11, 11, 12]
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    assert parts[0].shares == (("a", 1.0),)
    assert {part.distance for part in parts} == {0.5}
    assert parts[0].to_json()["shares"] == {"a": 1.0}


def test_there_are_few_parts_of_many_requests() -> None:
    assert len(parts_of(newest_first(60) * 5, TRAIN)) == MOST_PARTS


def test_failures_have_no_class_and_without_any_there_is_no_part() -> None:
    assert parts_of(newest_first(5, status="error"), TRAIN) == ()
    assert parts_of(newest_first(5, result=""), TRAIN) == ()
    assert parts_of([], TRAIN) == ()


def test_without_the_train_runs_mix_there_is_no_distance() -> None:
    (part,) = parts_of(newest_first(5, probability={"a": 0.25, "b": 0.75}), {})

    assert part.shares == (("a", 0.25), ("b", 0.75))
    assert (part.distance, part.margin) == (None, None)
