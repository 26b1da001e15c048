"""What a route takes and answers, in the words of OpenAPI; examples are those of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alo.history.record import plain
from alo.plan.model import Plan

Schema = Mapping[str, Any]

ANSWER: Schema = {"$ref": "#/components/schemas/Answer"}
TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
PROTOCOL_ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": TEXT}}
JSON, ANY_FILE, PLAIN, HTML = "application/json", "*/*", "text/plain", "text/html"

# What a body of an inference can be refused with, and what its run can end with.
BODY_ERRORS = ("400", "413", "415", "422", "429", "500", "503", "504", "507")


class Content(NamedTuple):
    """The body of an answer."""

    schema: Schema = OBJECT
    media_type: str = JSON


class Operation(NamedTuple):
    """What can be done at a path."""

    id: str
    summary: str
    answers: Mapping[str, Content]  # by status
    errors: tuple[str, ...] = ()  # statuses; 401 comes by itself
    error: Schema = ANSWER
    query: tuple[Schema, ...] = ()
    body: Callable[[Plan], Schema] | None = None


def described(operation: Operation, plan: Plan, *, wants_token: bool) -> dict[str, Any]:
    """The operation as OpenAPI has it, without the parameters in its path."""
    errors = sorted({*operation.errors, *(("401",) if wants_token else ())})
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": operation.id,
        "parameters": list(operation.query),
        "responses": {
            **{
                status: _response("the answer", content)
                for status, content in operation.answers.items()
            },
            **{status: _response("refused", Content(operation.error)) for status in errors},
        },
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": operation.body(plan)}
    return found


def _response(what: str, content: Content) -> dict[str, Any]:
    schema = {"schema": content.schema} if content.schema else {}
    return {"description": what, "content": {content.media_type: schema}}


def rows_body(plan: Plan) -> Schema:
    """Rows, a table or files, with args."""
    args = {
        "type": "object",
        "additionalProperties": {"type": "object"},
        "description": "{step: {arg: value}}",
    }
    rows = {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {"rows": {"$ref": "#/components/schemas/Rows"}, "args": args},
    }
    files = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}
    form = {
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": files,
            "args": {**TEXT, "description": "JSON: {step: {arg: value}}"},
        },
    }
    example = {"rows": [{"column": 1.5}], "args": _args_example(plan)}
    return {
        JSON: {"schema": rows, "example": example},
        "text/csv": {"schema": TEXT, "example": "column\n1.5\n"},
        "multipart/form-data": {"schema": form},
    }


def tensors_body(plan: Plan) -> Schema:
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
    schema = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": TEXT, "inputs": {"type": "array", "items": tensor, "minItems": 1}},
    }
    column = {"name": "column", "shape": [1], "datatype": "FP64", "data": [1.5]}
    return {JSON: {"schema": schema, "example": {"inputs": [column]}}}


def _args_example(plan: Plan) -> dict[str, Any]:
    """The args that an operator may change, as the plan has them: others may be secrets."""
    steps = plan.inference.steps if plan.inference else ()
    shown = {
        step.name: {key: value for key, value in step.args.items() if key in step.ui_args}
        for step in steps
    }
    found = plain({step: args for step, args in shown.items() if args})
    return found if isinstance(found, dict) else {}


COMPONENTS: Schema = {
    "Answer": {
        "type": "object",
        "required": ["id", "status", "summary", "outputs", "error"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "status": {"enum": ["success", "fail", "queued", "running"]},
            "summary": {"type": ["object", "null"]},
            "outputs": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": TEXT, "url": TEXT}},
            },
            "error": {"type": ["object", "null"]},
        },
    },
    "Rows": {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "minProperties": 1,
        },
    },
}
