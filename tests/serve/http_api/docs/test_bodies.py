"""Examples have the real columns, made-up values, and those args that an operator may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.layout import find_plan
from alo.plan.load import load_plan
from alo.serve.http_api.docs.bodies import args_schema, rows_body, tensors_body
from alo.serve.http_api.docs.operations import Inputs
from alo.serve.known_input import TABLE, Column, KnownInput

COLUMNS = [
    Column("n", "integer"),
    Column("x, y", "number"),
    Column("ok", "boolean"),
    Column("<b>", "string"),
]
DETAILS: list[dict[str, Any]] = [
    {"name": "share", "type": "float", "default": 0.5, "range": [0, 1], "description": "how much"},
    {"name": "way", "type": "single_selection", "selectable": ["a", "b"], "default": "a"},
    {"name": "many", "type": "multi_selection", "selectable": [1, 2]},
    {"name": "word", "type": "string", "range": [1, 9]},
]


@pytest.fixture
def inputs(make_solution: Callable[..., Path]) -> Inputs:
    args = {"share": 0.7, "secret": "s3cret", "free": {"k": [1]}}
    shown = ["share", "way", "many", "word", "free"]
    home = make_solution(
        inference={"infer": "pass"}, args={"infer": args}, beside={"infer": {"ui_args": shown}}
    )
    path = find_plan(home)
    plan = json.loads(path.read_text())
    details = [{"inference_pipeline": [{"step": "infer", "args": DETAILS}]}]
    path.write_text(json.dumps({**plan, "ui_args_detail": details}))
    return Inputs(load_plan(path, home=home), KnownInput(TABLE, COLUMNS))


def test_rows_and_tables_have_the_real_columns(inputs: Inputs) -> None:
    body = rows_body(inputs)

    example = body["application/json"]["example"]
    assert example["rows"] == [{"n": 1, "x, y": 1.5, "ok": True, "<b>": "text"}]
    assert body["text/csv"]["example"] == 'n,"x, y",ok,<b>\n1,1.5,True,text\n'
    items = body["application/json"]["schema"]["properties"]["rows"]["items"]
    assert items["properties"]["n"] == {"type": ["integer", "null"]}
    assert items["additionalProperties"]


def test_tensors_have_the_types_of_the_columns(inputs: Inputs) -> None:
    tensors = tensors_body(inputs)["application/json"]["example"]["inputs"]

    assert [(each["name"], each["datatype"], each["data"]) for each in tensors] == [
        ("n", "INT64", [1]),
        ("x, y", "FP64", [1.5]),
        ("ok", "BOOL", [True]),
        ("<b>", "BYTES", ["text"]),
    ]


def test_args_are_those_of_ui_args_with_their_bounds(inputs: Inputs) -> None:
    found = args_schema(inputs.plan)["properties"]["infer"]["properties"]

    assert found["share"] == {
        "description": "how much",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0.7,
    }
    assert found["way"] == {"enum": ["a", "b"], "default": "a"}
    assert found["many"] == {"type": "array", "items": {"enum": [1, 2]}}
    assert found["word"] == {"type": "string", "minLength": 1, "maxLength": 9}
    assert found["free"] == {"default": {"k": [1]}}
    assert "s3cret" not in json.dumps(rows_body(inputs))


def test_where_no_columns_are_known_the_example_is_one_of_any_table(inputs: Inputs) -> None:
    body = rows_body(inputs._replace(known=KnownInput()))

    assert body["application/json"]["example"]["rows"] == [{"column": 1.5}]
    assert body["application/json"]["schema"]["properties"]["rows"] == {
        "$ref": "#/components/schemas/Rows"
    }
