"""The comparison of a candidate, as its entry has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.gate.compared import COMPARISON, comparison_of, in_short
from alo.gate.comparison import ChangedRow, ComparedRow, compare
from alo.gate.verdict import PASS, GateSettings, Judged

SAID = [
    ComparedRow(
        record=f"r:{n}",
        label="a",
        old="a",
        new=None if n else "b",
        weight=1.5,
        slices={"site": "A"},
    )
    for n in range(3)
]
GATE = GateSettings(min_rows=2, max_loss=0.3, slice_min_rows=1)
COMPARED = replace(
    compare(SAID, GATE, old_run="old", new_run="new", in_training=1),
    agreement={"items": 3, "share": 0.5, "kappa": None, "low": None, "high": None},
    dataset="d@v1",
    command="alo retrain --dataset d",
    by="ada",
)
WHOLE = COMPARED.to_json()


def _write(folder: Path, text: str) -> None:
    (folder / COMPARISON).parent.mkdir(exist_ok=True)
    (folder / COMPARISON).write_text(text)


def test_it_is_what_was_written(tmp_path: Path) -> None:
    assert comparison_of(tmp_path) is None

    _write(tmp_path, json.dumps(WHOLE))

    found = comparison_of(tmp_path)
    assert found == replace(COMPARED, slices=list(COMPARED.slices))
    assert found is not None
    assert found.to_json() == WHOLE
    assert found.changed[0] == ChangedRow("r:0", "a", "a", "b")
    assert (found.slices[0].name, found.gate) == ("site=A", GATE)


def test_that_of_no_test_row_is_whole(tmp_path: Path) -> None:
    none = compare([], GateSettings(), old_run="", new_run="new")
    _write(tmp_path, json.dumps(none.to_json()))

    assert comparison_of(tmp_path) == none


def test_what_another_version_has_written_besides_is_passed_over(tmp_path: Path) -> None:
    gate = {"max_loss": 0.3, "min_rows": 2, "of_tomorrow": 1}
    content = {**WHOLE, "gate": gate, "of_tomorrow": {}, "by": None}
    del content["command"]
    _write(tmp_path, json.dumps(content))

    found = comparison_of(tmp_path)

    assert found is not None
    assert (found.gate, found.by) == (replace(GATE, slice_min_rows=30), "")
    assert (found.command, found.rows) == ("", 3)


def test_a_damaged_one_is_an_error_with_its_place(tmp_path: Path) -> None:
    _write(tmp_path, "{")

    with pytest.raises(HistoryError) as reported:
        comparison_of(tmp_path)

    assert reported.value.where == str(tmp_path / COMPARISON)


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
        ({**WHOLE, "changed": [{"record": 5}]}, "changed.record"),
        ({**WHOLE, "gate": {"max_loss": "x"}}, "gate.max_loss"),
    ],
)
def test_one_of_another_shape_is_damaged_not_absent(
    tmp_path: Path, content: object, part: str
) -> None:
    _write(tmp_path, json.dumps(content))

    with pytest.raises(HistoryError) as reported:
        comparison_of(tmp_path)

    assert f"damaged: {part}" in reported.value.what


def test_what_the_gate_says_is_held_or_passes_and_promotions_have_it_in_short() -> None:
    passes = replace(COMPARED, judged=Judged(verdict=PASS))

    assert (COMPARED.is_held, passes.is_held) == (True, False)
    assert in_short(COMPARED) == {
        name: WHOLE[name] for name in ("dataset", "rows", "difference", "verdict", "reasons")
    }
