"""Measured numbers are told from codes of classes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from alo.tables.measured import are_measured


@pytest.mark.parametrize(
    ("values", "is_so"),
    [
        ([f"{n / 7}" for n in range(40)], True),
        ([str(n) for n in range(300)], True),
        ([*[f"{n / 7}" for n in range(40)], ""], True),
        ([f"{n / 7}" for n in range(15)], False),  # so few may be sizes
        ([str(n) for n in range(150)], False),
        ([f"{n}.0" for n in range(150)], False),
        ([f"name {n}" for n in range(300)], False),
        ([*[f"{n / 7}" for n in range(300)], "none"], False),
        ([*[f"{n / 7}" for n in range(300)], "nan"], False),
        (["0.5", "0.7"] * 200, False),
        ([], False),
    ],
)
def test_numbers_are_measured_where_there_are_too_many(values: Sequence[str], is_so: bool) -> None:
    assert are_measured(values) is is_so
