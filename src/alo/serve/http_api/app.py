"""The routes of ``alo serve``: inference, results, health, metrics, documentation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Match, Route

from alo.json_text import json_bytes
from alo.serve.http_api.answer_tensors import model_metadata, parameters_of, render
from alo.serve.http_api.bodies.binary_tensors import EXTENSION
from alo.serve.http_api.bodies.incoming import Bodies
from alo.serve.http_api.docs import PAGE, openapi
from alo.serve.http_api.guard import Access, HostRefused, OriginRefused, check_asker
from alo.serve.http_api.paths import decoded, path_as_sent
from alo.serve.http_api.refusal import Refused
from alo.serve.http_api.requests import take_body
from alo.serve.http_api.service import STATUS_OF, Answer, HttpService
from alo.workers.protocol import write_failure

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class JsonResponse(Response):
    """Starlette's own fails on texts that are not UTF-8, as names of files may be."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The content as JSON, in bytes that also hold what is no UTF-8."""
        return json_bytes(content)


class Application:
    """The ASGI application: finds the handler of a request, and sees who asks.

    Starlette's routing is done without, whose layers are for what handlers do not answer: ours
    answer all.
    """

    def __init__(self, service: HttpService, access: Access) -> None:
        self._service, self._access = service, access
        self._token = access.token.encode()
        self._bodies = Bodies(service.limits)
        routes: list[tuple[str, str, Handler, bool]] = [
            ("/healthz", "GET", self.healthy, False),
            ("/readyz", "GET", self.ready, False),
            ("/openapi.json", "GET", self.description, not access.public_docs),
            ("/docs", "GET", self.docs, not access.public_docs),
            ("/metrics", "GET", self.metrics, True),
            ("/v1/inference", "POST", self.infer, True),
            ("/v1/requests/{id}", "GET", self.result, True),
            ("/v1/requests/{id}/outputs/{name}", "GET", self.output, True),
            ("/v2", "GET", self.server, False),
            ("/v2/health/live", "GET", self.healthy, False),
            ("/v2/health/ready", "GET", self.ready, False),
            ("/v2/models/{name}", "GET", self.model, True),
            ("/v2/models/{name}/ready", "GET", self.model_ready, False),
            ("/v2/models/{name}/infer", "POST", self.infer_tensors, True),
            ("/v2/models/{name}/versions/{version}", "GET", self.model, True),
            ("/v2/models/{name}/versions/{version}/ready", "GET", self.model_ready, False),
            ("/v2/models/{name}/versions/{version}/infer", "POST", self.infer_tensors, True),
        ]
        self._direct = {  # those whose path is their own are found at once
            (path, verb): (handler, is_guarded) for path, verb, handler, is_guarded in routes
        }
        self._routes = [
            (Route(path, handler, methods=[verb]), handler, is_guarded)
            for path, verb, handler, is_guarded in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope["path"] = path_as_sent(scope)
        http = Request(scope, receive, send)
        try:
            found = self._direct.get((scope["path"], scope["method"]))
            handler, is_guarded = found or self._routed(scope)
            self._check_asker(http, is_guarded)
            response = await handler(http)
        except Exception as error:
            response = self._failed(http, error)
        await response(scope, receive, send)

    def _routed(self, scope: Scope) -> tuple[Handler, bool]:
        allowed: set[str] = set()
        for route, handler, is_guarded in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return handler, is_guarded
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            raise Refused(405, "Method Not Allowed", {"Allow": ", ".join(sorted(allowed))})
        raise Refused(404, "Not Found")

    def _failed(self, http: Request, error: Exception) -> Response:
        """The answer in place of the handler's."""
        match error:
            case Refused():
                self._service.metrics.count_refusal(error.status, error.limit)
                return _refusal(http, error.status, error.what, error.headers)
            case OSError():
                failure = write_failure("the request", error)
                self._service.metrics.count_refusal(STATUS_OF.get(failure.kind, 500), "disk")
                self._service.report(failure.comment)
                return _refusal(http, STATUS_OF.get(failure.kind, 500), failure.comment, {})
            case ClientDisconnect():
                return _refusal(http, 400, "the client has hung up", {})
        self._service.report(f"a fault in ALO: {http.method} {http.url.path}: {error!r}")
        return _refusal(http, 500, f"a fault in ALO: {error!r}", {})

    def _check_asker(self, http: Request, is_guarded: bool) -> None:
        if self._token:
            if is_guarded and not self._is_known(http):
                headers = {"WWW-Authenticate": "Bearer"}
                raise Refused(401, "the token is missing or wrong", headers, limit="token")
            return
        try:
            check_asker(http.method, http.headers, self._access.hosts)
        except HostRefused as refused:
            raise Refused(421, str(refused), limit="host") from refused
        except OriginRefused as refused:
            raise Refused(403, str(refused), limit="origin") from refused

    def _is_known(self, http: Request) -> bool:
        kind, _, given = http.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and compare_digest(
            given.strip().encode("latin-1"),
            self._token,  # a head's bytes come as Latin-1
        )

    async def healthy(self, http: Request) -> Response:
        """That the server is alive."""
        return JsonResponse({"status": "ok", "live": True})

    async def ready(self, http: Request) -> Response:
        """Whether a worker is warm."""
        is_ready = self._service.pool.is_ready
        return JsonResponse(
            {"status": "ready" if is_ready else "booting", "ready": is_ready},
            200 if is_ready else 503,
        )

    async def description(self, http: Request) -> Response:
        """The OpenAPI description."""
        return JsonResponse(openapi(self._service.plan, bool(self._token)))

    async def docs(self, http: Request) -> Response:
        """The page that shows the description."""
        return HTMLResponse(PAGE)

    async def metrics(self, http: Request) -> Response:
        """Metrics, as Prometheus reads them."""
        return Response(self._service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def infer(self, http: Request) -> Response:
        """Run the inference pipeline on what was sent, now or later."""
        is_stored = _flag(http, "async")
        request_id, folder = self._service.new_folder(is_stored=is_stored)
        try:
            taken = await take_body(http, folder, self._bodies)
            if is_stored:
                answer = await run_in_threadpool(self._service.answer_later, request_id, *taken)
                return JsonResponse(answer.content(), 202)
            answer = await self._service.answer_now(request_id, *taken)
        except BaseException:
            await run_in_threadpool(self._service.drop, request_id, is_stored=is_stored)
            raise
        return JsonResponse(answer.content(), answer.http_status)

    async def result(self, http: Request) -> Response:
        """How far a request is, and what came of it."""
        answer = await self._found(http)
        return JsonResponse(answer.content())

    async def output(self, http: Request) -> Response:
        """An output file of a request."""
        request_id, name = http.path_params["id"], decoded(http.path_params["name"])
        path = await run_in_threadpool(self._service.output, request_id, name)
        try:
            found = path.stat() if path else None
        except FileNotFoundError:
            found = None
        if path is None or found is None:
            raise Refused(404, "there is no such output, or it is no longer kept")
        shown = name.encode("utf-8", "replace").decode()  # a header can have no other bytes
        return FileResponse(path, filename=shown, stat_result=found)

    async def _found(self, http: Request) -> Answer:
        answer = await run_in_threadpool(self._service.find, http.path_params["id"])
        if answer is None:
            raise Refused(404, "there is no such request, or it is no longer kept")
        return answer

    async def server(self, http: Request) -> Response:
        """What the server is, in the Open Inference Protocol."""
        from alo.version import __version__

        return JsonResponse({"name": "alo", "version": __version__, "extensions": [EXTENSION]})

    async def model(self, http: Request) -> Response:
        """What the model is, in the Open Inference Protocol."""
        self._check_model(http)
        return JsonResponse(model_metadata(self._service.plan.name, self._service.pool.model_id))

    async def model_ready(self, http: Request) -> Response:
        """Whether the model can answer."""
        self._check_model(http)
        is_ready = self._service.pool.is_ready
        content = {"name": self._service.plan.name, "ready": is_ready}
        return JsonResponse(content, 200 if is_ready else 503)

    async def infer_tensors(self, http: Request) -> Response:
        """Run the inference pipeline on tensors."""
        self._check_model(http)
        request_id, folder = self._service.new_folder(is_stored=False)
        try:
            taken = await self._bodies.parsed(http, "tensors", folder)
            asked = taken.args["request"]
            answer = await self._service.answer_now(request_id, {}, taken.files)
        except BaseException:
            await run_in_threadpool(self._service.drop, request_id, is_stored=False)
            raise
        failure = answer.result.failure if answer.result else None
        if failure is not None:
            return _refusal(http, answer.http_status, failure.comment, {})
        paths = [
            path
            for name in (answer.result.outputs if answer.result else ())
            if (path := self._service.output(request_id, name)) is not None
        ]
        content: dict[str, Any] = {
            **model_metadata(self._service.plan.name, self._service.pool.model_id, brief=True),
            "id": asked["id"] or request_id,
            "parameters": parameters_of(answer.result.summary or {} if answer.result else {}),
        }
        rendered, headers = await run_in_threadpool(render, content, paths, asked)
        return Response(rendered, headers=headers)

    def _check_model(self, http: Request) -> None:
        name = self._service.plan.name
        if decoded(http.path_params["name"]) != name:
            raise Refused(404, f"there is no such model; it is '{name}'")
        version = http.path_params.get("version")
        if version is not None and decoded(version) != self._service.pool.model_id:
            there = self._service.pool.model_id
            raise Refused(404, f"there is no such version of the model; in use is '{there}'")


def _flag(http: Request, name: str) -> bool:
    text = http.query_params.get(name, "0").lower()
    if text not in ("0", "1", "true", "false"):
        raise Refused(400, f"'{name}' has to be 1 or 0")
    return text in ("1", "true")


def _refusal(http: Request, status: int, what: str, headers: dict[str, str]) -> Response:
    if f"{http.scope['path']}/".startswith("/v2/"):  # as the Open Inference Protocol has it
        return JsonResponse({"error": what}, status, headers)
    error = {"code": str(status), "name": "Refused", "message": what, "traceback": ""}
    content: dict[str, Any] = {"id": None, "status": "fail", "summary": None, "outputs": []}
    return JsonResponse({**content, "error": error}, status, headers)
