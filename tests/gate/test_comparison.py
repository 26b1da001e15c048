"""Two models on the same rows, as people and scripts read it."""

from __future__ import annotations

import pytest

from alo.gate.comparison import ComparedRow, compare
from alo.gate.verdict import GateSettings

ROWS = [
    ComparedRow(record="r:0", label="a", old="a", new="a", slices={"site": "A"}),
    ComparedRow(record="r:1", label="a", old="a", new="b", slices={"site": "A"}),
    ComparedRow(record="r:2", label="b", old="a", new="b", slices={"site": "B"}),
    ComparedRow(record="r:3", label="b", old="a", new=None, slices={"site": "B"}),
]


def test_the_comparison_has_all_that_a_decision_needs() -> None:
    found = compare(ROWS, GateSettings(), old_run="old", new_run="new").to_json()

    assert set(found) >= {
        "rows", "old", "new", "difference", "only_old_right", "only_new_right", "mcnemar_p",
        "slices", "confusion", "changed", "agreement", "verdict", "reasons", "needed",
    }  # fmt: skip
    assert (found["rows"], found["only_old_right"], found["only_new_right"]) == (4, 1, 1)
    old = found["old"]
    assert isinstance(old, dict)
    assert (old["run"], old["accuracy"]) == ("old", 0.5)
    assert old["low"] < 0.5 < old["high"]
    assert found["mcnemar_p"] == 1.0
    assert found["verdict"] == "held"
    assert "rows_unanswered" in found["reasons"]  # type: ignore[operator]


def test_what_the_candidate_has_lost_comes_first() -> None:
    found = compare(ROWS, GateSettings(), old_run="old", new_run="new")

    assert [each.record for each in found.changed] == ["r:1", "r:3", "r:2"]


def test_the_confusion_counts_answers_by_label() -> None:
    found = compare(ROWS, GateSettings(), old_run="old", new_run="new")

    assert found.confusion["old"] == {"a": {"a": 2}, "b": {"a": 2}}
    assert found.confusion["new"] == {"a": {"a": 1, "b": 1}, "b": {"b": 1, "": 1}}


def test_slices_are_the_values_of_their_columns() -> None:
    found = compare(ROWS, GateSettings(slice_min_rows=2), old_run="old", new_run="new")

    assert [(each.name, each.rows, each.difference) for each in found.slices] == [
        ("site=A", 2, -0.5),
        ("site=B", 2, 0.5),
    ]
    assert all(each.is_looked_at for each in found.slices)


def test_weights_move_the_shares_and_lessen_what_is_known() -> None:
    heavy = [
        ComparedRow(record="r:0", label="a", old="a", new="b", weight=9.0),
        ComparedRow(record="r:1", label="a", old="b", new="a", weight=1.0),
    ]

    found = compare(heavy, GateSettings(), old_run="old", new_run="new")

    assert found.difference == pytest.approx(-0.8)
    assert found.old.accuracy == pytest.approx(0.9)


def test_without_rows_nothing_is_said_but_that() -> None:
    found = compare([], GateSettings(), old_run="old", new_run="new").to_json()

    assert found["difference"] == {"value": None, "low": None, "high": None, "bound": None}
    assert found["reasons"] == ["too_few_rows", "not_shown_no_worse"]
