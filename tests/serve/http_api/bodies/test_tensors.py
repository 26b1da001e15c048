"""Tensors become the columns of a table, or are refused with the tensor's name."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from alo.serve.http_api.bodies.tensors import write_tensors
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError


def tensor(name: str = "a", **other: Any) -> dict[str, Any]:
    return {"name": name, "shape": [2], "datatype": "INT64", "data": [1, 2], **other}


def table_of(*tensors: Any, limits: TableLimits | None = None, **other: Any) -> tuple[str, Any]:
    file = StringIO(newline="")
    asked = write_tensors({"inputs": [*tensors], **other}, file, limits or TableLimits())
    return file.getvalue(), asked


def test_each_tensor_is_a_column_and_one_of_two_dimensions_several() -> None:
    wide = tensor("w", shape=[2, 2], datatype="FP64", data=[0.5, 1, 2, None])
    rows = tensor("v", shape=[2, 2], datatype="BYTES", data=[["x", "y"], ["z", ""]])

    text, _ = table_of(tensor(), wide, rows)

    assert text == "a,w_0,w_1,v_0,v_1\r\n1,0.5,1,x,y\r\n2,2,,z,\r\n"


def test_what_a_client_asks_for_is_returned_by_name() -> None:
    outputs = [{"name": "x"}, {"name": "y", "parameters": {"binary_data": False}}]

    _, asked = table_of(tensor(), id="7", outputs=outputs, parameters={"binary_data_output": True})

    assert asked["request"]["id"] == "7"
    assert asked["request"]["outputs"] == {"x": True, "y": False}
    assert asked["request"]["in_bytes"] is True


@pytest.mark.parametrize(
    ("datatype", "value", "is_one"),
    [
        ("INT8", 127, True),
        ("INT8", 128, False),
        ("UINT8", 255, True),
        ("UINT8", -1, False),
        ("INT64", 2**63 - 1, True),
        ("INT64", 2**63, False),
        ("BOOL", True, True),
        ("BOOL", 1, False),
        ("INT64", True, False),
        ("INT64", 1.0, False),
        ("FP32", 1, True),
        ("FP32", None, True),
        ("FP64", float("inf"), False),
        ("BYTES", "x", True),
        ("BYTES", None, False),
    ],
)
def test_a_value_is_of_its_datatype_or_refused(datatype: str, value: Any, is_one: bool) -> None:
    one = tensor(shape=[1], datatype=datatype, data=[value])
    if is_one:
        table_of(one)
    else:
        with pytest.raises(RefusedError):
            table_of(one)


@pytest.mark.parametrize(
    ("tensors", "status", "what"),
    [
        ([], 400, "a list 'inputs'"),
        ([1], 400, "a tensor is not an object"),
        ([tensor("")], 400, "no name"),
        ([tensor(datatype="FP8")], 422, "the datatype can be"),
        ([tensor(shape=[0])], 422, "the shape has to be"),
        ([tensor(shape=[True])], 422, "the shape has to be"),
        ([tensor(shape=[1, 1, 2])], 422, "the shape has to be"),
        ([tensor(shape=[3])], 422, "2 values do not have its shape"),
        ([tensor(data="12")], 422, "not a list"),
        ([tensor(shape=[2, 1], data=[[1], [2, 3]])], 422, "not of 1 values"),
        ([tensor(), tensor()], 422, "two tensors make a column 'a'"),
        ([tensor(), tensor("b", shape=[1], data=[1])], 422, r"number of rows: \[1, 2\]"),
        ([tensor("\ufeffa")], 422, "byte order mark"),
    ],
)
def test_what_is_no_table_is_refused(tensors: list[Any], status: int, what: str) -> None:
    with pytest.raises(RefusedError, match=what) as caught:
        table_of(*tensors)

    assert caught.value.status == status


@pytest.mark.parametrize(
    "other",
    [
        {"id": 7},
        {"parameters": [1]},
        {"outputs": {"a": 1}},
        {"outputs": [{}]},
        {"outputs": [{"name": 1}]},
    ],
)
def test_what_else_is_of_another_form_is_refused(other: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as caught:
        table_of(tensor(), **other)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("limits", "limit"), [({"columns": 1}, "columns"), ({"cells": 3}, "cells")]
)
def test_limits_are_reported_by_name(limits: dict[str, int], limit: str) -> None:
    with pytest.raises(RefusedError) as caught:
        table_of(tensor(), tensor("b"), limits=TableLimits(**limits))

    assert (caught.value.status, caught.value.limit) == (413, limit)
