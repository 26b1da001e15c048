from __future__ import annotations

import pytest

from alo.review.record_ids import record_id, row_in, run_and_row, run_in


def test_a_record_is_called_by_its_run_and_its_row() -> None:
    record = record_id("20260101T000000Z-a", 12)

    assert record == "20260101T000000Z-a:12"
    assert run_and_row(record) == ("20260101T000000Z-a", 12)
    assert (run_in(record), row_in(record)) == ("20260101T000000Z-a", 12)


def test_a_whole_run_is_a_record_by_its_own_id() -> None:
    assert run_in("20260101T000000Z-a") == "20260101T000000Z-a"


@pytest.mark.parametrize("text", ["", "a", "a:", ":", "a:b", "a:-1", "a:1.0", "a:1:b"])
def test_what_is_called_otherwise_is_no_row(text: str) -> None:
    assert run_and_row(text) is None
