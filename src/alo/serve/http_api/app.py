"""The ASGI application of ``alo serve``: who asks, for which route, and what if that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from alo.serve.http_api.docs.page import FRAME
from alo.serve.http_api.guard import Access, ForeignAskerError, Proof, check_host, check_origin
from alo.serve.http_api.handlers import Handlers, refusal
from alo.serve.http_api.paths import path_as_sent
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.routes import DOCS, ROUTES, nothing_at, page_answer
from alo.serve.http_api.service import STATUS_OF, HttpService
from alo.workers.protocol import write_failure

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]


class Application:
    """The ASGI application: finds the handler of a request, and sees who asks.

    Starlette's routing is done without, whose layers are for what handlers do not answer: ours
    answer all.
    """

    def __init__(self, service: HttpService, access: Access) -> None:
        self._service, self._access = service, access
        self._token = access.token.encode()
        self._proof = Proof.TOKEN if access.token else Proof.NOTHING
        handlers = Handlers(service, access)
        routes = [
            (route, partial(route.handler, handlers), route.wants_token(access)) for route in ROUTES
        ]
        self._direct = {  # those whose path is their own are found at once
            (route.path, route.verb): (handler, wants_token)
            for route, handler, wants_token in routes
        }
        self._routes = [
            (Route(route.path, handler, methods=[route.verb]), handler, wants_token)
            for route, handler, wants_token in routes
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope["path"] = path_as_sent(scope)
        http = Request(scope, receive, send)
        try:
            check_host(http.headers, self._access.hosts)
            found = self._direct.get((scope["path"], scope["method"]))
            handler, wants_token = found or self._routed(scope)
            self._check_asker(http, wants_token)
            response = await handler(http)
        except Exception as error:
            response = self._failed(http, error)
        await response(scope, receive, send)

    def _routed(self, scope: Scope) -> tuple[Handler, bool]:
        allowed: set[str] = set()
        for route, handler, wants_token in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return handler, wants_token
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            shown = ", ".join(sorted(allowed))
            raise RefusedError(
                405, f"this path is not for {scope['method']}; {shown}", {"Allow": shown}
            )
        raise RefusedError(404, nothing_at(scope["path"]))

    def _failed(self, http: Request, error: Exception) -> Response:
        """The answer in place of the handler's."""
        match error:
            case RefusedError():
                self._service.metrics.count_refusal(error.status, error.limit)
                if error.status == 401 and _wants_page(http):
                    return page_answer(FRAME, 401, error.headers)
                return refusal(http, error.status, error.what, error.headers)
            case ForeignAskerError():
                self._service.metrics.count_refusal(error.status, error.limit)
                return refusal(http, error.status, f"{error.what}; {error.fix}", {})
            case OSError():
                failure = write_failure("the request", error)
                self._service.metrics.count_refusal(STATUS_OF.get(failure.kind, 500), "disk")
                self._service.report(failure.comment)
                return refusal(http, STATUS_OF.get(failure.kind, 500), failure.comment, {})
            case ClientDisconnect():
                return refusal(http, 400, "the client has hung up", {})
        self._service.report(f"a fault in ALO: {http.method} {http.url.path}: {error!r}")
        return refusal(http, 500, f"a fault in ALO: {error!r}", {})

    def _check_asker(self, http: Request, wants_token: bool) -> None:
        if wants_token and not self._is_known(http):
            headers = {"WWW-Authenticate": "Bearer"}
            raise RefusedError(401, "the token is missing or wrong", headers, limit="token")
        check_origin(http.method, http.headers, self._proof)

    def _is_known(self, http: Request) -> bool:
        kind, _, given = http.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and compare_digest(
            given.strip().encode("latin-1"),
            self._token,  # a head's bytes come as Latin-1
        )


def _wants_page(http: Request) -> bool:
    """Whether a browser asks for the page of the service, which then asks for the token itself."""
    return http.scope["path"] == DOCS and "text/html" in http.headers.get("accept", "")
