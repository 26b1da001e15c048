"""Whatever a notebook has put into a plan is written, and reads back as what a plan can hold."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from alo.plan.yaml_nodes.dumper import dump


class _Number:
    """As NumPy's are."""

    size = 1

    def item(self) -> float:
        return 2.5


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("한글: 'x'", "한글: 'x'"),
        ("1", "1"),
        ("no", "no"),
        (None, None),
        ([1, [2.5, True]], [1, [2.5, True]]),
        (datetime.date(2026, 1, 1), datetime.date(2026, 1, 1)),
        ([("a", 1), ("a", 2)], [("a", 1), ("a", 2)]),
        (_Number(), 2.5),
        (Path("/p"), repr(Path("/p"))),
        ("half \ud800", "half ?"),
    ],
)
def test_a_value_reads_back_as_it_was_or_as_text(value: Any, read: Any) -> None:
    assert yaml.safe_load(dump({"k": value})) == {"k": read}


def test_keys_keep_their_order_and_the_same_value_is_written_each_time() -> None:
    same = ["x"]

    text = dump({"b": same, "a": same})

    assert text.index("b:") < text.index("a:")
    assert text.count("x") == 2
    assert "&" not in text
