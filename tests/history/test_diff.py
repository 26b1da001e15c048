"""What differs between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alo.history.diff import differences
from alo.history.record import RunRecord, StepRecord

MakeRecord = Callable[..., RunRecord]


def test_only_what_differs_is_told_of_args_code_data_and_environment(
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

    told = differences([one, other])

    assert told["ids"] == {}
    assert told["args"] == {"train.k": [2, "2"], "train.new": [None, None]}
    assert told["code"] == {"b.py": ["2", "3"]}
    assert told["data"] == {"x.csv": ["1", None], "y.csv": [None, "1"]}
    assert told["environment"] == {"git commit": ["c1", "c2"], "numpy": ["1", "2"]}


def test_summary_and_step_times_are_told_in_any_case(make_record: MakeRecord) -> None:
    step = StepRecord("train", "success", 1.5, 1.0, 0)
    runs = [make_record(steps=(step,), score=0.5, probability={"a": 1.0}) for _ in range(3)]

    told = differences(runs)

    assert told["step seconds"] == {"train": [1.5] * 3}
    assert told["summary"]["score"] == [0.5] * 3
    assert told["summary"]["probability a"] == [1.0] * 3


def test_damaged_descriptions_are_no_trouble(make_record: MakeRecord) -> None:
    one = make_record(code_id_description={"files": [1]}, data_id_description={"files": None})

    assert differences([one, make_record()])["code"] == {}
