"""What a client may send over HTTP, and how it becomes the input data of a request.

Whatever the body was, its data arrives as ``input/inference/request/…``: files under their own
names, rows as ``data.csv``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request as HttpRequest

from alo.serve.file_names import ReservedNameError, checked_file_name
from alo.serve.http_api.bodies.incoming import Bodies, Taken
from alo.serve.http_api.bodies.json_values import args_of, known_encoding
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.workers.protocol import Args

MOST_FILES = 1000
TYPES = ("multipart/form-data", "application/json", "text/csv")


async def take_body(http: HttpRequest, folder: Path, bodies: Bodies) -> Taken:
    """What comes with a request; data that is not small is written into a new folder.

    Raises:
        RefusedError: with the status that says why.
    """
    given = http.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _take_form(http, folder, bodies)
    if kind not in TYPES:
        raise RefusedError(415, f"the content type is '{kind}'; it can be {', '.join(TYPES)}")
    if kind == "application/json":
        return await bodies.parsed(http, "rows", folder)
    args = args_of(_args_in(http), bodies.limits.table)
    return (await bodies.parsed(http, "csv", folder, given))._replace(args=args)


async def _take_form(http: HttpRequest, folder: Path, bodies: Bodies) -> Taken:
    async with bodies.limited(http) as stream:
        form = await _form(HttpRequest(http.scope, stream.receive))
        try:
            return Taken(await run_in_threadpool(_take_parts, form, folder, bodies.limits.table))
        finally:
            await form.close()


async def _form(http: HttpRequest) -> FormData:
    _, options = parse_options_header(http.headers["content-type"])
    known_encoding(options.get(b"charset", b"utf-8").decode("latin-1"))
    try:
        return await http.form(max_files=MOST_FILES, max_fields=100)
    except (HTTPException, MultiPartException, UnicodeDecodeError, ValueError, KeyError) as error:
        detail = getattr(error, "detail", "") or getattr(error, "message", "") or str(error)
        raise RefusedError(400, f"the form cannot be read: {detail}") from error


def _take_parts(form: FormData, folder: Path, limits: TableLimits) -> Args:
    files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    strange = [key for key in form if key not in ("files", "args")]
    if not files or strange or len(form.getlist("args")) > 1:
        raise RefusedError(400, "expected parts named 'files', and one named 'args' at most")
    folder.mkdir(parents=True)
    for part in files:
        path = folder / _checked_name(part.filename or "")
        if path.exists():
            raise RefusedError(400, f"two files are named '{path.name}'")
        with open(path, "xb") as target:
            shutil.copyfileobj(part.file, target)
    args = form.get("args", "{}")
    if isinstance(args, UploadFile):
        return args_of(args.file.read(limits.args_bytes + 1), limits)
    return args_of(args, limits)


def _checked_name(name: str) -> str:
    try:
        return checked_file_name(name)
    except ReservedNameError as error:
        raise RefusedError(400, str(error)) from error


def _args_in(http: HttpRequest) -> str:
    """The args in the query."""
    try:
        query = parse_qs(http.url.query, errors="strict")
    except ValueError as error:
        raise RefusedError(400, f"the query cannot be read: {error}") from error
    found = query.get("args", ["{}"])
    if len(found) > 1:
        raise RefusedError(400, "the query has several 'args'")
    return found[0]
