"""What bodies of requests are: schemas and examples, with the real columns and the plan's args.

Values in examples are made up; of the plan's args those are shown that an operator may change:
others may be secrets.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

from alo.history.record import plain
from alo.plan.model import Plan, UiArg
from alo.serve.http_api.docs.operations import COMPONENTS, JSON, TEXT, Inputs, Schema
from alo.serve.known_input import TABLE, Column

UNKNOWN = (Column("column", "number"),)  # stands for columns that are not known
DATATYPES = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "string": "BYTES"}


def rows_body(inputs: Inputs) -> Schema:
    """Rows, a table or files, with args."""
    args = args_schema(inputs.plan)
    rows = {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {"rows": _rows_schema(inputs), "args": args},
    }
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    form = {
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": {**files, "description": "each arrives under its own name"},
            "args": {**TEXT, "description": "JSON: {step: {arg: value}}"},
        },
    }
    row = {column.name: column.example for column in _columns(inputs)}
    example = {"rows": [row], "args": _args_example(inputs.plan)}
    table = {**TEXT, "description": "a table with a header; args come in the query, as JSON"}
    return {
        JSON: {"schema": rows, "example": example},
        "text/csv": {"schema": table, "example": _csv([[*row], [*row.values()]])},
        "multipart/form-data": {"schema": form},
    }


def _rows_schema(inputs: Inputs) -> Schema:
    """Rows, with the columns that are known; others may be sent as well."""
    any_row = COMPONENTS["Rows"]
    if inputs.known.kind != TABLE:
        return {"$ref": "#/components/schemas/Rows"}
    columns = {each.name: {"type": [each.type, "null"]} for each in inputs.known.columns}
    return {**any_row, "items": {**any_row["items"], "properties": columns}}


def tensors_body(inputs: Inputs) -> Schema:
    """Tensors of the Open Inference Protocol."""
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
            "datatype": TEXT,
            "data": {"type": "array"},
        },
    }
    tensors = {
        "type": "array",
        "items": tensor,
        "minItems": 1,
        "description": "each is a column of the table, or several",
    }
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": TEXT, "inputs": tensors},
    }
    example = [
        {
            "name": column.name,
            "shape": [1],
            "datatype": DATATYPES[column.type],
            "data": [column.example],
        }
        for column in _columns(inputs)
        if column.name  # a tensor has one
    ]
    return {JSON: {"schema": schema, "example": {"inputs": example}}}


def args_schema(plan: Plan) -> dict[str, Any]:
    """The args that a request may bring; those of ``ui_args`` with their types and bounds."""
    steps = {step: {"type": "object", "properties": args} for step, args in _ui_args(plan).items()}
    return {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "properties": steps,
        "description": "{step: {arg: value}}, in the place of the plan's",
    }


def _ui_args(plan: Plan) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for step in plan.inference.steps if plan.inference else ():
        details = plan.ui_args_detail.get("inference", {}).get(step.name, ())
        known = {detail.name: detail for detail in details}
        for key in step.ui_args:
            schema = _schema(known[key]) if key in known else {}
            default = step.args.get(key, known[key].default if key in known else None)
            if default is not None:
                schema["default"] = plain(default)
            found.setdefault(step.name, {})[key] = schema
    return found


def _schema(detail: UiArg) -> dict[str, Any]:
    found: dict[str, Any] = {"description": detail.description} if detail.description else {}
    low, high = detail.range or (None, None)
    match detail.type:
        case "int" | "float":
            found["type"] = "integer" if detail.type == "int" else "number"
            found.update({"minimum": low, "maximum": high} if detail.range else {})
        case "string":
            found["type"] = "string"
            found.update({"minLength": low, "maxLength": high} if detail.range else {})
        case "single_selection":
            found["enum"] = plain(detail.selectable)
        case "multi_selection":
            found.update(type="array", items={"enum": plain(detail.selectable)})
    return found


def _args_example(plan: Plan) -> Mapping[str, Any]:
    steps = plan.inference.steps if plan.inference else ()
    shown = {
        step.name: {key: value for key, value in step.args.items() if key in step.ui_args}
        for step in steps
    }
    found = plain({step: args for step, args in shown.items() if args})
    return found if isinstance(found, dict) else {}


def _columns(inputs: Inputs) -> tuple[Column, ...]:
    return tuple(inputs.known.columns) if inputs.known.kind == TABLE else UNKNOWN


def _csv(rows: list[list[Any]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
