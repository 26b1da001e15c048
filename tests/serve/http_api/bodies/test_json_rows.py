"""Rows of JSON become CSV that reads back as they were sent, one row at a time."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest

from alo.serve.http_api.bodies.json_rows import write_table
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError


def table_of(text: str, **limits: Any) -> tuple[list[list[str]], object]:
    file = StringIO(newline="")
    args = write_table(text, file, TableLimits(**limits))
    return list(csv.reader(StringIO(file.getvalue(), newline=""))), args


def test_a_later_column_is_in_all_rows() -> None:
    rows, args = table_of(
        '{"rows": [{"a": 1}, {"b": "x", "a": null}, {}], "args": {"s": {"n": 1}}}'
    )

    assert rows[0] == ["a", "b"]
    assert rows[1:3] == [["1", ""], ["", "x"]]
    assert args == {"s": {"n": 1}}


def test_args_may_come_first() -> None:
    rows, args = table_of(' { "args" : {"s": {}} , "rows" : [ {"a": "한,\\"글"} ] } ')

    assert rows == [["a"], ['한,"글']]
    assert args == {"s": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"rows": {}}',
        '{"rows": [1]}',
        '{"rows": [{"a": 1}], "more": 1}',
        '{"rows": [{"a": 1}]} x',
        '{"rows": [{"a": 1},]}',
        '{"rows": [{"a": 1, "a": 2}]}',
        '{"rows": [{"a": 1e999}]}',
        '{"rows": [{"a": NaN}]}',
        '{"rows": [{"a": "\\u0000"}]}',
        '{"rows": [{"a": 1}], "rows": [{"a": 1}]}',
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as caught:
        table_of(text)

    assert caught.value.status in (400, 422)


@pytest.mark.parametrize(
    ("limits", "limit"), [({"columns": 1}, "columns"), ({"cells": 2}, "cells")]
)
def test_a_table_has_limits_that_are_reported_by_name(limits: dict[str, int], limit: str) -> None:
    with pytest.raises(RefusedError) as caught:
        table_of('{"rows": [{"a": 1, "b": 2}, {"a": 1, "b": 2}]}', **limits)

    assert (caught.value.status, caught.value.limit) == (413, limit)
