"""The comparison of a candidate, as its entry has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.history.compared import COMPARISON, comparison_of, in_short, is_held, reasons_of

HELD = {"verdict": "held", "reasons": ["no_gain"], "rows": 3, "confusion": {}}


def test_it_is_what_was_written(tmp_path: Path) -> None:
    assert comparison_of(tmp_path) is None

    (tmp_path / COMPARISON).parent.mkdir()
    (tmp_path / COMPARISON).write_text(json.dumps(HELD))

    assert comparison_of(tmp_path) == HELD


def test_a_damaged_one_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / COMPARISON).parent.mkdir()
    (tmp_path / COMPARISON).write_text("{")

    with pytest.raises(HistoryError) as told:
        comparison_of(tmp_path)

    assert told.value.where == str(tmp_path / COMPARISON)


def test_whoever_was_never_compared_is_not_held() -> None:
    assert [is_held(each) for each in (None, {"verdict": "pass"}, HELD)] == [False, False, True]
    assert reasons_of(HELD) == ["no_gain"]
    assert reasons_of({"reasons": "odd"}) == []
    assert set(in_short(HELD)) == {"dataset", "rows", "difference", "verdict", "reasons"}
