"""What a route takes and answers, in the words of OpenAPI; examples are those of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from alo.plan.model import Plan
from alo.serve.known_input import KnownInput

Schema = Mapping[str, Any]

ANSWER: Schema = {"$ref": "#/components/schemas/Answer"}
TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
PROTOCOL_ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": TEXT}}
JSON, ANY_FILE, PLAIN, HTML = "application/json", "*/*", "text/plain", "text/html"

# What a body of an inference can be refused with, and what its run can end with.
BODY_ERRORS = ("400", "413", "415", "422", "429", "500", "503", "504", "507")
ANYWHERE = ("403", "421")  # of whatever is asked for
IN_WORDS = {  # what a status says
    "200": "It is done: the answer.",
    "202": "It is accepted; ask for its result later.",
    "400": "The body is malformed, or a file's name has a path in it.",
    "401": "The token is missing or wrong.",
    "403": "A page of another site asks.",
    "404": "There is no such thing, or it is no longer kept.",
    "413": "It is larger than a limit of the service allows.",
    "415": "The content type, or its encoding, is none that is taken.",
    "421": "The host that is asked for is no name of this service.",
    "422": "Data or args are refused: no table, an unknown step.",
    "429": "Too many requests wait; Retry-After says when to come back.",
    "500": "The asset failed: the error has its traceback.",
    "503": "No worker can take it now; Retry-After says when to come back.",
    "504": "It took longer than a request may: it was ended.",
    "507": "The service's disk has no room for it.",
}


class Inputs(NamedTuple):
    """What bodies and their examples are described by."""

    plan: Plan
    known: KnownInput


class Content(NamedTuple):
    """The body of an answer."""

    schema: Schema = OBJECT
    media_type: str = JSON


class Operation(NamedTuple):
    """What can be done at a path."""

    id: str
    summary: str
    answers: Mapping[str, Content]  # by status
    errors: tuple[str, ...] = ()  # statuses; 401, 403 and 421 come by themselves
    error: Schema = ANSWER
    query: tuple[Schema, ...] = ()
    body: Callable[[Inputs], Schema] | None = None
    takes_rows: bool = False  # what is known of the input is a part of the description


def described(operation: Operation, inputs: Inputs, *, wants_token: bool) -> dict[str, Any]:
    """The operation as OpenAPI has it, without the parameters in its path."""
    errors = sorted({*operation.errors, *ANYWHERE, *(("401",) if wants_token else ())})
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": operation.id,
        "parameters": list(operation.query),
        "responses": {
            **{status: _response(status, each) for status, each in operation.answers.items()},
            **{status: _response(status, Content(operation.error)) for status in errors},
        },
    }
    if operation.body is not None:
        found["requestBody"] = {"required": True, "content": operation.body(inputs)}
    if operation.takes_rows:
        found["x-alo-input"] = inputs.known.to_json()
    return found


def _response(status: str, content: Content) -> dict[str, Any]:
    schema = {"schema": content.schema} if content.schema else {}
    return {"description": IN_WORDS[status], "content": {content.media_type: schema}}


COMPONENTS: Schema = {
    "Answer": {
        "type": "object",
        "required": ["id", "status", "summary", "outputs", "error"],
        "properties": {
            "id": {
                "type": ["string", "null"],
                "description": "of the request; null where it was refused",
            },
            "status": {
                "enum": ["success", "fail", "queued", "running"],
                "description": "how far it is",
            },
            "summary": {
                "type": ["object", "null"],
                "description": "what the asset says: result, score, note, probability",
            },
            "outputs": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": TEXT, "url": TEXT}},
                "description": "files that it has made, and where to fetch them",
            },
            "error": {
                "type": ["object", "null"],
                "description": "where it failed: code, name, message (what, where, how to fix)"
                " and the asset's traceback",
            },
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
        "description": "one object for each row of the table: {column: value}",
    },
}
