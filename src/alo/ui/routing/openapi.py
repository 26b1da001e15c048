"""The OpenAPI description of the studio, made from its table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from alo.ui.routing import loop_operations, review_operations
from alo.ui.routing.operations import (
    COMPONENTS,
    FORM,
    JSON,
    NAMES_IN_URL,
    PARAMETERS,
    RUN_ID,
    TEXT,
    Answer,
    Body,
    Operation,
    reference,
)
from alo.version import __version__

ANYWHERE = ("400", "421", "422", "500", "503", "507")
GUARDED = ("401", "403")
ALL_PARAMETERS = {**PARAMETERS, **review_operations.PARAMETERS, **loop_operations.PARAMETERS}
ALL_COMPONENTS = {**COMPONENTS, **review_operations.COMPONENTS, **loop_operations.COMPONENTS}
IN_PATHS = {"id": RUN_ID, "run": RUN_ID, "name": "patients", "version": "v1", "other": "v2"}
ABOUT = (
    "What the pages of alo ui show, as data. Scripts send a token of `alo ui tokens add`; lists"
    " are also at the same path with .csv."
)


class Described(Protocol):
    """A route, as its clients see it."""

    @property
    def method(self) -> str:
        """GET or POST."""

    @property
    def path(self) -> str:
        """As the table of routes has it."""

    @property
    def role(self) -> str:
        """That whoever asks must have at least."""

    @property
    def summary(self) -> str:
        """What it is for, in one line."""

    @property
    def operation(self) -> Operation:
        """Its keys, body and answers."""


def describe(routes: Iterable[Described], base_path: str) -> Mapping[str, Any]:
    """The description, version 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(data_path(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "alo ui", "version": __version__, "description": ABOUT},
        "servers": [{"url": base_path or "/"}],
        "paths": paths,
        "components": {
            "schemas": ALL_COMPONENTS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def data_path(route: Described) -> str:
    """Where a script finds what the route has."""
    path = route.path.replace(":path}", "}")
    if route.method != "GET" or not route.operation.is_data:
        return path
    return "/overview.json" if path == "/" else f"{path}.json"


def _operation(route: Described) -> dict[str, Any]:
    operation = route.operation
    names = re.findall(r"{(\w+)", route.path)
    errors = {*ANYWHERE, *operation.errors, *(GUARDED if route.role else ())}
    errors |= {"404"} if names else set()
    errors |= {"403", "409", "413", "415"} if operation.body is not None else set()
    found: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _identifier(route),
        "parameters": [*map(_in_path, names), *map(_in_query, operation.query)],
        "responses": {
            **{status: _response(answer) for status, answer in operation.answers.items()},
            **{status: _response(Answer(reference("Error"))) for status in sorted(errors)},
        },
    }
    if route.role:
        found["security"] = [{"token": []}]
        found["description"] = f"For the role {route.role} and those above it."
    if operation.body is not None:
        found["requestBody"] = _body(operation.body)
    return found


def _identifier(route: Described) -> str:
    words = re.findall(r"\w+", route.path.replace(":path", "")) or ["overview"]
    return "_".join([route.method.lower(), *words])


def _in_path(name: str) -> Mapping[str, Any]:
    example = IN_PATHS.get(name, "output/output.csv")
    return {"name": name, "in": "path", "required": True, "schema": TEXT, "example": example}


def _in_query(name: str) -> Mapping[str, Any]:
    known = ALL_PARAMETERS[name]
    schema = {"type": "array", "items": known.schema} if known.is_repeatable else known.schema
    found: dict[str, Any] = {
        "name": NAMES_IN_URL.get(name, name),
        "in": "query",
        "description": known.description,
        "schema": schema,
    }
    if known.example is not None:
        found["example"] = [known.example] if known.is_repeatable else known.example
    return found


def _body(body: Body) -> Mapping[str, Any]:
    schema = {
        "type": "object",
        "properties": body.properties,
        "required": list(body.required),
        "additionalProperties": body.is_open,
    }
    return {"content": {kind: {"schema": schema, "example": body.example} for kind in (JSON, FORM)}}


def _response(answer: Answer) -> Mapping[str, Any]:
    content: dict[str, Any] = {"schema": answer.schema} if answer.schema else {}
    what = "refused" if answer.schema == reference("Error") else "the answer"
    return {"description": what, "content": dict.fromkeys(answer.media_types, content)}
