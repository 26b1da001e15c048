"""The OpenAPI description of the service, made from its routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from alo.plan.model import Plan
from alo.serve.http_api.docs.operations import COMPONENTS, TEXT, Inputs, Operation, described
from alo.version import __version__


class Described(NamedTuple):
    """A route, as its clients see it."""

    path: str
    verb: str
    wants_token: bool
    operation: Operation


def openapi(routes: Iterable[Described], inputs: Inputs) -> dict[str, Any]:
    """The description, version 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    plan = inputs.plan
    for route in routes:
        content = described(route.operation, inputs, wants_token=route.wants_token)
        content["parameters"] = [*_in_path(route.path, plan), *content["parameters"]]
        if route.wants_token:
            content["security"] = [{"token": []}]
        paths.setdefault(route.path, {})[route.verb.lower()] = content
    return {
        "openapi": "3.1.0",
        "info": {
            "title": plan.name,
            "version": plan.version or "0",
            "description": f"An inference pipeline, served by ALO {__version__}.",
        },
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _in_path(path: str, plan: Plan) -> list[dict[str, Any]]:
    """Its parameters; the name of a model is that of the plan."""
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if path.startswith("/v2/models/{name}"):
        found[0]["example"] = plan.name
    return found
