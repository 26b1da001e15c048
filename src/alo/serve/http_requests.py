"""What a client may send over HTTP, and how it becomes the input data of a request.

Whatever the body was, its data arrives as ``input/inference/request/…``: files under their own
names, rows as ``data.csv``.
"""

from __future__ import annotations

import csv
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from alo.serve.http_json import args_of, check_number, checked_args, parse_json
from alo.serve.http_names import ReservedName, safe_name
from alo.serve.http_refusal import Refused
from alo.serve.messages import Args
from alo.serve.texts import is_odd

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

BOM = "\ufeff"
ROWS_FILE = "data.csv"
MOST_FILES = 1000
TYPES = ("multipart/form-data", "application/json", "text/csv")


async def take_body(http: HttpRequest, folder: Path, most_bytes: int) -> Args:
    """Write the data of a request into a new folder; returns its args.

    Raises:
        Refused: with the status that says why.
    """
    declared = http.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most_bytes:
        raise _too_large(most_bytes)
    kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _take_form(http, folder, most_bytes)
    if kind not in TYPES:
        raise Refused(415, f"the content type is '{kind}'; it can be {', '.join(TYPES)}")
    body = await read_body(http, most_bytes)
    folder.mkdir(parents=True)
    if kind == "text/csv":
        (folder / ROWS_FILE).write_bytes(_as_utf8(body, http.headers["content-type"]))
        return args_of(_args_in(http))
    content = parse_json(body)
    if not isinstance(content, dict) or set(content) - {"rows", "args"}:
        raise Refused(400, 'expected an object of the form {"rows": [{...}, ...], "args": {...}}')
    write_rows(content.get("rows"), folder / ROWS_FILE)
    return checked_args(content.get("args", {}))


async def read_body(http: HttpRequest, most_bytes: int) -> bytes:
    """The whole body, as long as it is no larger than it may be."""
    parts, size = [], 0
    async for part in http.stream():
        size += len(part)
        if size > most_bytes:
            raise _too_large(most_bytes)
        parts.append(part)
    return b"".join(parts)


def write_rows(rows: object, path: Path) -> None:
    """Rows of a table, each an object, as CSV; columns in the order in which they come up.

    What a row does not have is an empty cell, as null is. Every other value is written so that
    reading it gives it back.

    Raises:
        Refused: they are something else.
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused(422, "'rows' is not a list of objects, one for each row")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        raise Refused(422, "'rows' has no columns")
    if columns[0].startswith(BOM):
        raise Refused(422, "a column's name begins with a byte order mark, which readers drop")
    for row in rows:
        for value in row.values():
            _check_cell(value)
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(rows)


def _check_cell(value: object) -> None:
    if isinstance(value, float):
        check_number(value)
    elif isinstance(value, dict | list):
        raise Refused(
            422, "a value in 'rows' is an object or a list; a cell of a table holds one value"
        )


async def _take_form(http: HttpRequest, folder: Path, most_bytes: int) -> Args:
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException

    http._receive = _limited(http._receive, most_bytes)
    try:
        form = await http.form(max_files=MOST_FILES, max_fields=100)
    except (HTTPException, MultiPartException, UnicodeDecodeError, ValueError, KeyError) as error:
        detail = getattr(error, "detail", "") or getattr(error, "message", "") or str(error)
        raise Refused(400, f"the form cannot be read: {detail}") from error
    try:
        files = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        strange = [key for key in form if key not in ("files", "args")]
        if not files or strange or len(form.getlist("args")) > 1:
            raise Refused(400, "expected parts named 'files', and one named 'args' at most")
        folder.mkdir(parents=True)
        for part in files:
            path = folder / _checked_name(part.filename or "")
            if path.exists():
                raise Refused(400, f"two files are named '{path.name}'")
            with open(path, "xb") as target:
                while piece := await part.read(1 << 20):
                    target.write(piece)
        args = form.get("args", "{}")
        text = (await args.read()) if isinstance(args, UploadFile) else args
        return args_of(_utf8(text) if isinstance(text, bytes) else text)
    finally:
        await form.close()


def _checked_name(name: str) -> str:
    try:
        return safe_name(name)
    except ReservedName as error:
        raise Refused(400, str(error)) from error


def _limited(receive: Any, most_bytes: int) -> Any:
    size = 0

    async def limited() -> Any:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most_bytes:
            raise _too_large(most_bytes)
        return message

    return limited


def _too_large(most_bytes: int) -> Refused:
    return Refused(413, f"the body is larger than {most_bytes / 1e6:,.0f} MB")


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """A table in the encoding that every asset reads.

    Args:
        content_type: the header, which may name the encoding that it is in.
    """
    header = Message()
    header["content-type"] = content_type
    encoding = str(header.get_param("charset", "utf-8"))
    try:
        text = body.decode(encoding)
    except LookupError as error:
        raise Refused(415, f"the encoding '{encoding[:50]}' is not known") from error
    except UnicodeError as error:
        fix = "name its encoding: content-type: text/csv; charset=…"
        raise Refused(400, f"the table is not {encoding.upper()}: {error}; {fix}") from error
    if not text.strip(f"{BOM} \t\r\n"):
        raise Refused(422, "the table is empty")
    if is_odd(text):
        raise Refused(400, "the table has a NUL or half a character in it")
    return text.encode()


def _args_in(http: HttpRequest) -> str:
    """The args in the query."""
    try:
        query = parse_qs(http.url.query, errors="strict")
    except ValueError as error:
        raise Refused(400, f"the query cannot be read: {error}") from error
    found = query.get("args", ["{}"])
    if len(found) > 1:
        raise Refused(400, "the query has several 'args'")
    return found[0]


def _utf8(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(400, f"'args' is not UTF-8: {error}") from error
