"""What differs between runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from alo.cli.output.history_report import difference_lines
from alo.history.diff import differences
from alo.history.record import RunRecord, StepRecord

MakeRecord = Callable[..., RunRecord]


def test_only_what_differs_is_reported_of_args_code_data_and_environment(
    make_record: MakeRecord,
) -> None:
    same: dict[str, Any] = {
        "args": {"train": {"n": 1, "k": 2}},
        "python": "3.11.7",
        "param_id": "p",
    }
    one = make_record(
        **same,
        code_id_description={"files": {"a.py": "1", "b.py": "2"}},
        data_id_description={"files": {"x.csv": "1"}},
        git={"commit": "c1"},
        packages={"numpy": "1"},
    )
    other = make_record(**same)._replace(
        args={"train": {"n": 1, "k": "2", "new": None}},
        code_id_description={"files": {"a.py": "1", "b.py": "3"}},
        data_id_description={"files": {"y.csv": "1"}},
        git={"commit": "c2"},
        packages={"numpy": "2"},
    )

    reported = differences([one, other])

    assert reported["ids"] == {}
    assert reported["args"] == {"train.k": [2, "2"], "train.new": [None, None]}
    assert reported["code"] == {"b.py": ["2", "3"]}
    assert reported["data"] == {"x.csv": ["1", None], "y.csv": [None, "1"]}
    assert reported["environment"] == {"git commit": ["c1", "c2"], "numpy": ["1", "2"]}


def test_summary_and_step_times_are_reported_in_any_case(make_record: MakeRecord) -> None:
    step = StepRecord("train", "success", 1.5, 1.0, 0)
    runs = [make_record(steps=(step,), score=0.5, probability={"a": 1.0}) for _ in range(3)]

    reported = differences(runs)

    assert reported["step seconds"] == {"train": [1.5] * 3}
    assert reported["summary"]["score"] == [0.5] * 3
    assert reported["summary"]["probability a"] == [1.0] * 3


def test_damaged_descriptions_are_no_trouble(make_record: MakeRecord) -> None:
    one = make_record(code_id_description={"files": [1]}, data_id_description={"files": None})

    assert differences([one, make_record()])["code"] == {}


@pytest.mark.parametrize(
    ("one", "other", "reported"),
    [
        (1, True, [1, True]),
        (1, 1.0, [1, 1.0]),
        (0.0, -0.0, [0.0, -0.0]),
        (date(2026, 3, 1), "2026-03-01", ["datetime.date(2026, 3, 1)", "2026-03-01"]),
        ({0: "a"}, {"0": "a"}, ["{0:'a'}", {"0": "a"}]),
        (math.nan, "nan", ["nan", "nan"]),
        (b"x", "b'x'", ["b'x'", "b'x'"]),
    ],
)
def test_args_of_different_types_differ_also_where_json_has_one_text_for_both(
    one: object, other: object, reported: list[object], make_record: MakeRecord
) -> None:
    records = [make_record().with_args({"train": {"x": value}}) for value in (one, other)]
    records = [RunRecord.from_json(json.loads(json.dumps(each.to_json()))) for each in records]

    found = differences(records)

    assert repr(found["args"]) == repr({"train.x": reported})
    assert found["ids"].keys() == {"param_id"}
    lines = "\n".join(difference_lines(records, {"args": found["args"]}))
    row = next(each for each in lines.splitlines() if "train.x" in each)
    first, second = row.replace("train.x", "").strip().split("  ", 1)
    assert first != second.strip()


def test_args_that_are_the_same_are_reported_of_in_neither_form(make_record: MakeRecord) -> None:
    args = {"train": {"day": date(2026, 3, 1), "map": {1: {2}}, "order": {"a": 1, "b": 2}}}
    turned = {"train": {"order": {"b": 2, "a": 1}, "map": {1: {2}}, "day": date(2026, 3, 1)}}

    found = differences([make_record().with_args(args), make_record().with_args(turned)])

    assert found["args"] == found["ids"] == {}
