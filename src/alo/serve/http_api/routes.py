"""The table of what ``alo serve`` answers: each path with its handler and its description.

Both the routes and the OpenAPI description are made from it, so that neither has what the other
does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alo.serve.http_api.bodies.binary_tensors import EXTENSION
from alo.serve.http_api.docs.bodies import rows_body, tensors_body
from alo.serve.http_api.docs.openapi import Described, openapi
from alo.serve.http_api.docs.operations import (
    ANSWER,
    ANY_FILE,
    BODY_ERRORS,
    HTML,
    PLAIN,
    PROTOCOL_ERROR,
    TEXT,
    Content,
    Inputs,
    Operation,
)
from alo.serve.http_api.docs.page import FRAME, HEADERS, page_file
from alo.serve.http_api.guard import Access
from alo.serve.http_api.handlers import Handlers, JsonResponse
from alo.serve.http_api.refusal import RefusedError
from alo.serve.known_input import known_input

DOCS = "/docs"
NO_HEADERS: Mapping[str, str] = {}


class Guard(Enum):
    """Who may ask, where a token is set."""

    NONE = "anybody"
    DESCRIPTION = "who has the token, or anybody with --public-docs"
    TOKEN = "who has the token"  # noqa: S105 - none


class Served(NamedTuple):
    """One route."""

    path: str
    verb: str
    handler: Callable[[Handlers, Request], Awaitable[Response]]
    guard: Guard
    operation: Operation

    def wants_token(self, access: Access) -> bool:
        """Whether who does not show the token is refused."""
        is_guarded = self.guard is Guard.TOKEN or (
            self.guard is Guard.DESCRIPTION and not access.public_docs
        )
        return bool(access.token) and is_guarded


async def description(handlers: Handlers, http: Request) -> Response:
    """The OpenAPI description."""
    routes = [
        Described(route.path, route.verb, route.wants_token(handlers.access), route.operation)
        for route in ROUTES
    ]
    service = handlers.service
    known = await run_in_threadpool(known_input, service.workspace, service.plan)
    return JsonResponse(openapi(routes, Inputs(service.plan, known)))


async def docs(handlers: Handlers, http: Request) -> Response:
    """The page that shows the description, and sends what is typed in it."""
    if http.scope.get("raw_path", b"").partition(b"?")[0].endswith(b"/"):
        return RedirectResponse("../docs")  # what belongs to the page is beside it
    return page_answer(FRAME)


async def docs_file(handlers: Handlers, http: Request) -> Response:
    """A script or a style of that page."""
    return page_answer(http.path_params["name"])


def page_answer(name: str, status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> Response:
    """A part of the page.

    Args:
        headers: beside those of each part.
    Raises:
        RefusedError: there is none of this name.
    """
    part = page_file(name)
    if part is None:
        raise RefusedError(404, "there is no such part of the page")
    return Response(
        part.content, status, media_type=part.media_type, headers={**HEADERS, **headers}
    )


OK = {"200": Content()}
READY = {"200": Content(), "503": Content()}
RESULT = {"200": Content(ANSWER)}
ASYNC = {
    "name": "async",
    "in": "query",
    "schema": {"type": "string", "enum": ["0", "1"]},
    "description": "1: answer at once with 202, and keep the result for later",
}


def _model(name: str, summary: str) -> Operation:
    return Operation(name, summary, OK, ("404",), PROTOCOL_ERROR)


def _model_ready(name: str, summary: str) -> Operation:
    return Operation(name, summary, READY, ("404",), PROTOCOL_ERROR)


def _tensors(name: str, summary: str) -> Operation:
    errors = ("404", *BODY_ERRORS)
    return Operation(name, summary, OK, errors, PROTOCOL_ERROR, body=tensors_body)


ROUTES = (
    Served(
        "/v1/inference",
        "POST",
        Handlers.infer,
        Guard.TOKEN,
        Operation(
            "infer",
            "Run an inference",
            {**RESULT, "202": Content(ANSWER)},
            BODY_ERRORS,
            query=(ASYNC,),
            body=rows_body,
            takes_rows=True,
        ),
    ),
    Served(
        "/v1/requests/{id}",
        "GET",
        Handlers.result,
        Guard.TOKEN,
        Operation("getRequest", "What came of a request", RESULT, ("404",)),
    ),
    Served(
        "/v1/requests/{id}/outputs/{name}",
        "GET",
        Handlers.output,
        Guard.TOKEN,
        Operation(
            "getOutput", "An output file of a request", {"200": Content({}, ANY_FILE)}, ("404",)
        ),
    ),
    Served(
        "/v2/models/{name}/infer",
        "POST",
        Handlers.infer_tensors,
        Guard.TOKEN,
        _tensors("inferTensors", "Run an inference on tensors (Open Inference Protocol)"),
    ),
    Served(
        "/v2/models/{name}/versions/{version}/infer",
        "POST",
        Handlers.infer_tensors,
        Guard.TOKEN,
        _tensors("inferTensorsOfVersion", "The same, if this version of the model is in use"),
    ),
    Served(
        "/v2/models/{name}",
        "GET",
        Handlers.model,
        Guard.TOKEN,
        _model("getModel", "Metadata of the model"),
    ),
    Served(
        "/v2/models/{name}/versions/{version}",
        "GET",
        Handlers.model,
        Guard.TOKEN,
        _model("getModelVersion", "The same, if this version is in use"),
    ),
    Served(
        "/v2/models/{name}/ready",
        "GET",
        Handlers.model_ready,
        Guard.NONE,
        _model_ready("modelReady", "Whether the model can answer"),
    ),
    Served(
        "/v2/models/{name}/versions/{version}/ready",
        "GET",
        Handlers.model_ready,
        Guard.NONE,
        _model_ready("modelVersionReady", "The same, if this version is in use"),
    ),
    Served(
        "/v2", "GET", Handlers.server, Guard.NONE, Operation("v2", "The server and its version", OK)
    ),
    Served(
        "/v2/health/live",
        "GET",
        Handlers.healthy,
        Guard.NONE,
        Operation("live", "Whether it runs", OK),
    ),
    Served(
        "/v2/health/ready",
        "GET",
        Handlers.ready,
        Guard.NONE,
        Operation("ready", "Whether it can answer", READY),
    ),
    Served(
        "/healthz", "GET", Handlers.healthy, Guard.NONE, Operation("healthz", "Whether it runs", OK)
    ),
    Served(
        "/readyz",
        "GET",
        Handlers.ready,
        Guard.NONE,
        Operation("readyz", "Whether it can answer", READY),
    ),
    Served(
        "/metrics",
        "GET",
        Handlers.metrics,
        Guard.TOKEN,
        Operation("metrics", "Metrics for Prometheus", {"200": Content(TEXT, PLAIN)}),
    ),
    Served(
        "/openapi.json",
        "GET",
        description,
        Guard.DESCRIPTION,
        Operation("openapi", "This description", OK),
    ),
    Served(
        DOCS,
        "GET",
        docs,
        Guard.DESCRIPTION,
        Operation("docs", "A page to read this on, and to try it", {"200": Content(TEXT, HTML)}),
    ),
    Served(
        "/docs/{name}",
        "GET",
        docs_file,
        Guard.NONE,
        Operation("docsFile", "A script or style of it", {"200": Content({}, ANY_FILE)}, ("404",)),
    ),
)


def nothing_at(path: str) -> str:
    """What to say to who asks for a path of no route: also which other one may be meant.

    Clients of KServe ask by its protocol V1 unless they are configured to use V2.
    """
    what = f"nothing is served at {path[:100]}"
    if path == "/" or path.startswith("/v1/models"):
        return (
            f"{what}: not KServe's protocol V1, but V2, the Open Inference Protocol "
            "(RESTConfig(protocol='v2') in KServe's client); /docs describes all that is"
        )
    if path.startswith("/v2/"):
        return f"{what}: of the extensions of the protocol, only {EXTENSION} is"
    return f"{what}; /docs describes all that is"
