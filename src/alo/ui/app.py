"""The ASGI application: who asks, which screen answers, and how the answer is sent.

All of a request but the reading of its body happens in one thread of the pool, so that neither the
disk nor the database holds up another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from alo.errors import AloError
from alo.events.log_lines import error as error_line
from alo.events.types import Listener
from alo.loop.traces.known import known_ids
from alo.serve.http_api.guard import ForeignAskerError, Proof, check_host, check_origin
from alo.serve.http_api.paths import path_as_sent
from alo.ui.access.cookies import SESSION, session_cookie
from alo.ui.access.roles import ANYONE, NOBODY, OPERATOR, Person
from alo.ui.ask import Ask, read_body
from alo.ui.problems import UiError, problem_of
from alo.ui.query import LONGEST, Query
from alo.ui.rendering.language import LANGUAGES, wanted_language
from alo.ui.rendering.page import Redirect
from alo.ui.rendering.render import Form, Renderer
from alo.ui.rendering.said import said
from alo.ui.rendering.static_files import StaticFiles
from alo.ui.routing.route import MOST_BODY
from alo.ui.routing.router import Router
from alo.ui.studio import Studio

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Answer = TypeVar("Answer")
LANGUAGE = "alo_lang"  # a cookie
FREE_NAMES = ("/files/", "/raw/", "/outputs/")  # below these, names end as they like
THREADS = 40  # requests that are answered at once
HTML, JSON, CSV = "html", "json", "csv"
LOCAL = Person("local", OPERATOR)  # where no sign-in is needed


class Application:
    """The studio over HTTP."""

    def __init__(self, studio: Studio, listener: Listener) -> None:
        self._studio, self._listener = studio, listener
        self._router = Router()
        self._renderer = Renderer(studio.settings.base_path)
        self._static = StaticFiles()
        self._threads = ThreadPoolExecutor(THREADS, "alo-ui")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        http = Request(scope, receive)
        path = path_as_sent(scope)
        base = self._studio.settings.base_path
        if base and (path == base or path.startswith(f"{base}/")):
            path = path[len(base) :] or "/"
        answer = self._static.answer(http, path)
        if answer is None:
            try:
                most = MOST_BODY
                if http.method == "POST" and _may_be_large(http):
                    most = await self._in_thread(self._most_body, http, path)
                body = await _read(http, most)
                answer = await self._in_thread(self._answer, http, path, body)
            except ClientDisconnect:
                return
            except UiError as problem:
                answer = await self._in_thread(self._problem, http, path, problem)
            except AloError as error:
                answer = await self._in_thread(self._problem, http, path, problem_of(error))
        await answer(scope, receive, send)

    async def _in_thread(self, work: Callable[..., Answer], *given: object) -> Answer:
        # Starlette's pool of threads would take a tenth of a start to import, for no page's sake.
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)

    def _answer(self, http: Request, path: str, body: bytes) -> Response:
        """The answer, whatever happens."""
        try:
            return self._answer_of_screen(http, path, body)
        except UiError as problem:
            return self._problem(http, path, problem)
        except AloError as error:
            return self._problem(http, path, problem_of(error))
        except OSError as error:
            self._listener(error_line(f"{http.method} {path}: {error}"))
            return self._problem(http, path, problem_of(error))
        except Exception as error:  # the last net
            self._listener(error_line(f"a fault in ALO: {http.method} {path}: {error!r}"))
            return self._problem(http, path, UiError(500, f"a fault in ALO: {error!r}"))

    def _answer_of_screen(self, http: Request, path: str, body: bytes) -> Response:
        path, form = _form_of(http, path)
        who = self._who(http)
        base = self._studio.settings.base_path
        query = Query(f"{base}{path}", http.query_params.multi_items())
        token = query.one("token")
        if token and (person := self._studio.sign_in.with_token(token)) is not None:
            return self._signed_in(http, person, query)
        route, names = self._router.find(http.method, path)
        if not who.may(route.role):
            raise _not_allowed(who)
        with _refusing():
            check_origin(http.method, http.headers, Proof.TOKEN if _bearer(http) else Proof.SESSION)
        content, is_form = read_body(body, http.headers.get("content-type", ""))
        last_event = http.headers.get("last-event-id", "")
        say = partial(said, self._language(http))
        ask = Ask(self._studio, who, query, names, content, is_form, token, last_event, say)
        result = route.screen(ask)
        if form == HTML and http.method == "POST" and (not is_form or _bearer(http)):
            form = JSON
        return self._renderer.response(result, ask, Form(form, self._language(http)), http.headers)

    def _most_body(self, http: Request, path: str) -> int:
        """How much is read: of who may not send it, no more than a refusal takes."""
        route, _ = self._router.find(http.method, path)
        return route.most_body if self._who(http).may(route.role) else MOST_BODY

    def _who(self, http: Request) -> Person:
        """Who asks.

        Raises:
            UiError: 421: the host is none of ours; 401: the token is unknown.
        """
        with _refusing():
            check_host(http.headers, self._studio.settings.allowed_hosts)
        if token := _bearer(http):
            person = self._studio.people.with_token(token)
            if person is None and token == self._studio.settings.token:
                return Person("owner", OPERATOR)
            if person is None:
                raise UiError(401, "the token is unknown or was revoked")
            return person
        if not self._studio.settings.needs_sign_in:
            return LOCAL
        session = http.cookies.get(SESSION, "")
        return (session and self._studio.people.with_session(session)) or ANYONE

    def _signed_in(self, http: Request, person: Person, query: Query) -> Response:
        session = self._studio.people.open_session(person)
        redirect = Redirect(query.link(), headers=(session_cookie(session),))
        return self._renderer.redirect(redirect, HTML)

    def _problem(self, http: Request, path: str, problem: UiError) -> Response:
        _, form = _form_of(http, path)
        if form == HTML and _sends_json(http):
            form = JSON
        if form == HTML and problem.status == 401 and http.method == "GET":
            return self._renderer.redirect(Redirect(_to_sign_in(http, path)), HTML)
        if form == HTML and http.method == "GET" and self._is_known(problem.about):
            trace = f"/trace/{quote(problem.about, safe='')}"
            return self._renderer.redirect(Redirect(trace), HTML)
        return self._renderer.problem(problem, Form(form, self._language(http)))

    def _is_known(self, gone: str) -> bool:
        """Whether what was removed still has a trace, to which all that links to it leads then."""
        with suppress(AloError, OSError):
            return bool(gone and known_ids(self._studio.workspace, self._studio.database, [gone]))
        return False

    def _language(self, http: Request) -> str:
        if _bearer(http):
            return LANGUAGES[0]  # a script, which may look for words
        asked = http.query_params.get("lang", "") or http.cookies.get(LANGUAGE, "")
        if asked in LANGUAGES:
            return asked
        fixed = self._studio.settings.language
        return fixed or wanted_language(http.headers.get("accept-language", ""))


async def _read(http: Request, most: int) -> bytes:
    """The body of a request.

    Raises:
        UiError: 413: it is too large.
    """
    parts: list[bytes] = []
    size = 0
    if http.method in ("GET", "HEAD"):
        return b""
    async for part in http.stream():
        size += len(part)
        if size > most:
            raise UiError(413, f"the body has more than {most:,} bytes")
        parts.append(part)
    return b"".join(parts)


@contextmanager
def _refusing() -> Iterator[None]:
    """A foreign page is answered as any other problem is."""
    try:
        yield
    except ForeignAskerError as asker:
        raise UiError(asker.status, asker.what, fix=asker.fix) from asker


def _may_be_large(http: Request) -> bool:
    length = http.headers.get("content-length", "")
    return not (length.isascii() and length.isdigit() and int(length[:16]) <= MOST_BODY)


def _bearer(http: Request) -> str:
    kind, _, token = http.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _form_of(http: Request, path: str) -> tuple[str, str]:
    """The path without what says in which form the answer is wanted, and that form."""
    if any(folder in path for folder in FREE_NAMES):
        form = http.query_params.get("format", HTML)
        return path, form if form in (JSON, CSV) else HTML
    for form in (JSON, CSV):
        if path.endswith(f".{form}"):
            shown = path.removesuffix(f".{form}")
            return "/" if shown == "/overview" else shown, form
    return path, HTML


def _to_sign_in(http: Request, path: str) -> str:
    """Where one signs in, and comes back to what was asked for."""
    pairs = http.query_params.multi_items()
    state = urlencode([(key, value) for key, value in pairs if key not in ("token", "lang")])
    wanted = f"{path}?{state}" if state and len(state) < LONGEST - len(path) else path
    was_used = "&token=used" if http.query_params.get("token") else ""
    return f"/sign-in?next={quote(wanted)}{was_used}"


def _sends_json(http: Request) -> bool:
    """Whether it is a script, which wants to know in JSON what is wrong."""
    if _bearer(http) or http.headers.get("content-type", "").startswith("application/json"):
        return True
    accepted = http.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _not_allowed(who: Person) -> UiError:
    if who.role == NOBODY:
        return UiError(401, "sign in first", fix="alo ui prints a URL that signs you in")
    return UiError(403, f"the role {who.role} may not do this", fix="ask an operator")
