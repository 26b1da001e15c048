"""The comparison of a candidate, as its entry has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.gate.comparison import ComparedRow, compare
from alo.gate.verdict import GateSettings
from alo.history.compared import COMPARISON, comparison_of, in_short, is_held, reasons_of

SAID = [ComparedRow(record=f"r:{n}", label="a", old="a", new=None, weight=1.0) for n in range(3)]
WHOLE = compare(SAID, GateSettings(), old_run="old", new_run="new").to_json()
HELD = {"verdict": "held", "reasons": ["no_gain"], "rows": 3, "confusion": {}}


def _write(folder: Path, text: str) -> None:
    (folder / COMPARISON).parent.mkdir(exist_ok=True)
    (folder / COMPARISON).write_text(text)


def test_it_is_what_was_written(tmp_path: Path) -> None:
    assert comparison_of(tmp_path) is None

    _write(tmp_path, json.dumps(WHOLE))

    assert comparison_of(tmp_path) == WHOLE


def test_that_of_no_test_row_is_whole(tmp_path: Path) -> None:
    none = compare([], GateSettings(), old_run="", new_run="new").to_json()
    _write(tmp_path, json.dumps(none))

    assert comparison_of(tmp_path) == none


def test_a_damaged_one_is_an_error_with_its_place(tmp_path: Path) -> None:
    _write(tmp_path, "{")

    with pytest.raises(HistoryError) as told:
        comparison_of(tmp_path)

    assert told.value.where == str(tmp_path / COMPARISON)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ([], "all"),
        ({}, "verdict"),
        ({**WHOLE, "verdict": {}}, "verdict"),
        ({**WHOLE, "rows": True}, "rows"),
        ({**WHOLE, "reasons": ["x", 5]}, "reasons"),
        ({**WHOLE, "old": 5}, "old"),
        ({**WHOLE, "new": {"accuracy": "x"}}, "new.accuracy"),
        ({**WHOLE, "difference": {"low": float("nan")}}, "difference.low"),
        ({**WHOLE, "confusion": {"old": {"a": {"b": "x"}}}}, "confusion.old.a.b"),
        ({**WHOLE, "slices": [{"slice": "x"}]}, "slices."),
        ({**WHOLE, "gate": {"max_loss": "x"}}, "gate.max_loss"),
    ],
)
def test_one_of_another_shape_is_damaged_not_absent(
    tmp_path: Path, content: object, part: str
) -> None:
    _write(tmp_path, json.dumps(content))

    with pytest.raises(HistoryError) as told:
        comparison_of(tmp_path)

    assert f"damaged: {part}" in told.value.what


def test_whoever_was_never_compared_is_not_held() -> None:
    assert [is_held(each) for each in (None, {"verdict": "pass"}, HELD)] == [False, False, True]
    assert reasons_of(HELD) == ["no_gain"]
    assert reasons_of({"reasons": "odd"}) == []
    assert set(in_short(HELD)) == {"dataset", "rows", "difference", "verdict", "reasons"}
