"""Turns what a screen gives back into a response: HTML by templates, JSON, CSV, files."""

from __future__ import annotations

import csv
import gzip
import io
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from secrets import token_urlsafe
from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse

from alo.json_text import json_bytes
from alo.tables.spreadsheet import disarmed
from alo.ui.access.roles import OPERATOR, REVIEWER
from alo.ui.ask import Ask
from alo.ui.problems import UiError
from alo.ui.rendering.language import LANGUAGES
from alo.ui.rendering.page import (
    Data,
    Download,
    FileAnswer,
    Page,
    Redirect,
    Result,
    Stream,
    Table,
    TableAnswer,
)
from alo.ui.rendering.said import said
from alo.ui.rendering.static_files import versioned
from alo.ui.rendering.templating import drawn, environment

POLICY = (  # of our pages: nothing from outside, no script or style but those of files
    "default-src 'none'; script-src 'self' 'nonce-{}'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
SANDBOX = (  # of HTML and SVG that a run has made: it may run, and reach nothing
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src"
    " 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'self'"
)
INERT = "default-src 'none'; sandbox"  # of any other file
SAFE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),  # no-referrer would make our forms send Origin: null
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
SPREADSHEET = "spreadsheet"  # ?for=: a download that is opened in one
UNBUFFERED = (*SAFE, ("X-Accel-Buffering", "no"))  # nor kept back by a proxy
PIECE = 1 << 16  # characters of a CSV that are sent at once
SMALL = 600  # bytes that are not worth packing
NAVIGATION = (  # key of the keyboard, path, name
    ("o", "/", "Overview"),
    ("r", "/runs", "Runs"),
    ("f", "/feed", "Feed"),
    ("v", "/reviews", "Reviews"),
    ("m", "/models", "Models"),
    ("d", "/datasets", "Data sets"),
    ("j", "/jobs", "Jobs"),
)


class Form(NamedTuple):
    """In which form and language an answer is wanted."""

    name: str  # html, json or csv
    language: str


class Renderer:
    """Makes responses.

    Args:
        base_path: what precedes every path of ours in URLs.
    """

    def __init__(self, base_path: str) -> None:
        self._base = base_path

    def response(
        self, result: Result, ask: Ask, form: Form, headers: Mapping[str, str]
    ) -> Response:
        """The response for what a screen has given back."""
        match result:
            case Redirect():
                return self.redirect(result, form.name)
            case FileAnswer():
                return _file(result, headers)
            case Download():
                return _download(result)
            case TableAnswer():
                return _csv(result.table, result.name, ask)
            case Data():
                body = json_bytes(result.content)
                return _packed(body, "application/json", 200, dict(SAFE), headers)
            case Stream():
                return StreamingResponse(
                    result.source, media_type="text/event-stream", headers=dict(UNBUFFERED)
                )
            case Page():
                return self._page(result, ask, form, headers)

    def redirect(self, to: Redirect, form: str) -> Response:
        """To another page; for a script, what has become of what it asked for."""
        if form == "json":
            body = json_bytes(to.content)
            response = Response(body, to.json_status, media_type="application/json")
        else:
            response = Response(status_code=to.status, headers={"Location": self._url(to.to)})
        for name, value in (*SAFE, *to.headers):
            response.headers.append(name, value)
        return response

    def problem(self, problem: UiError, form: Form) -> Response:
        """What went wrong, as a page or as JSON."""
        nonce = token_urlsafe(12)
        if form.name == "html":
            context = {"page": Page("problem", str(problem.status), {}), "problem": problem}
            body, kind = self._html("problem.html", form.language, context, nonce), "text/html"
        else:
            body, kind = (
                json_bytes(problem.to_json(partial(said, form.language))),
                "application/json",
            )
        headers = {"Content-Security-Policy": POLICY.format(nonce), **dict(SAFE)}
        if problem.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(body, problem.status, headers=headers, media_type=kind)

    def _page(self, page: Page, ask: Ask, form: Form, headers: Mapping[str, str]) -> Response:
        nonce = token_urlsafe(12)
        own = {"Content-Security-Policy": POLICY.format(nonce), **dict(SAFE)}
        if form.name == "csv":
            if page.table is None:
                raise UiError(404, "this page has no list", fix="its data is at .json")
            return _csv(page.table, f"{page.screen}.csv", ask)
        if form.name == "json":
            body = json_bytes(page.content, default=list)
            return _packed(body, "application/json", page.status, own, headers)
        ask = replace(ask, query=page.query) if page.query else ask
        context = {**page.content, **page.shown, "page": page, "ask": ask, "who": ask.who}
        body = self._html(page.template, form.language, context, nonce, ask)
        if ask.query.one("lang") in LANGUAGES:
            own["Set-Cookie"] = f"alo_lang={form.language}; Path=/; SameSite=Lax; Max-Age=31536000"
        return _packed(body, "text/html", page.status, own, headers)

    def _html(
        self,
        name: str,
        language: str,
        context: Mapping[str, object],
        nonce: str,
        ask: Ask | None = None,
    ) -> bytes:
        template = environment(language).get_template(name)
        frame: dict[str, object] = {
            "url": self._url,
            "drawn": lambda kind, drawing: drawn(kind, language, self._base, drawing),
            "static": lambda file: self._url(f"/static/{versioned(file)}"),
            "nonce": nonce,  # htmx heeds only elements that bear it: what was slipped in does not
            "language": language,
            "languages": LANGUAGES,
            "navigation": NAVIGATION,
            "project": ask.studio.workspace.home.name if ask else "",
            "may_operate": bool(ask and ask.who.may(OPERATOR)),
            "may_review": bool(ask and ask.who.may(REVIEWER)),
            "who": None,
            "ask": None,
            "typed": {},  # of a form that was refused, and what is wrong with it
            "wrong": {},
            "refusal": "",
        }
        return template.render({**frame, **context}).encode("utf-8", "replace")

    def _url(self, path: str) -> str:
        """A path of ours as pages link to it."""
        is_based = not self._base or path == self._base or path.startswith(f"{self._base}/")
        return path if is_based else f"{self._base}{path}"


def _packed(
    body: bytes, kind: str, status: int, own: dict[str, str], headers: Mapping[str, str]
) -> Response:
    if len(body) > SMALL and "gzip" in headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        own = {**own, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(body, status, headers=own, media_type=kind)


def _csv(table: Table, name: str, ask: Ask) -> Response:
    is_disarmed = ask.query.one("for", among=(SPREADSHEET,)) == SPREADSHEET
    headers = {**_to_be_saved(name), **dict(SAFE)}
    lines = _csv_lines(table, is_disarmed=is_disarmed)
    return StreamingResponse(lines, headers=headers, media_type="text/csv")


def _csv_lines(table: Table, *, is_disarmed: bool) -> Iterator[bytes]:
    lines = io.StringIO()
    writer = csv.writer(lines)

    def write(row: Sequence[object]) -> None:
        cells = ["" if each is None else each for each in row]
        writer.writerow([disarmed(each) for each in cells] if is_disarmed else cells)

    def written() -> bytes:
        text = lines.getvalue()
        lines.seek(0)
        lines.truncate()
        return text.encode("utf-8", "replace")

    if is_disarmed:
        yield BOM_UTF8  # without it, spreadsheets take the text for another encoding
    write(table.columns)
    for row in table.rows:
        write(row)
        if lines.tell() >= PIECE:  # a message for each row would cost more than the row
            yield written()
    yield written()


def _to_be_saved(name: str) -> dict[str, str]:
    quoted = quote(name.encode("utf-8", "replace"))
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quoted}"}


def _download(answer: Download) -> Response:
    headers = {**_to_be_saved(answer.name), "Content-Security-Policy": INERT, **dict(SAFE)}
    kind = "application/octet-stream"
    return StreamingResponse(answer.source, headers=headers, media_type=kind)


def _file(answer: FileAnswer, asked: Mapping[str, str]) -> Response:
    policy = SANDBOX if answer.is_sandboxed else INERT
    headers = {**dict(SAFE), "Content-Security-Policy": policy}
    if answer.version:
        # The browser asks each time, as who asks may have signed out; the bytes it has already.
        headers |= {"Cache-Control": "private, no-cache", "ETag": f'"{answer.version}"'}
        if headers["ETag"] in asked.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    shown_name = answer.name.encode("utf-8", "replace").decode()
    return FileResponse(
        Path(answer.path),
        filename=shown_name if answer.is_download else None,
        media_type=answer.media_type,
        headers=headers,
    )
