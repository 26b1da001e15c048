"""What a client may send over HTTP, and how it becomes the input data of a request.

Whatever the body was, its data arrives as ``input/inference/request/…``: files under their own
names, rows as ``data.csv``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alo.serve.http_names import ReservedName, safe_name
from alo.serve.messages import Args

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

ROWS_FILE = "data.csv"
MOST_FILES = 1000
TYPES = ("multipart/form-data", "application/json", "text/csv")


class Refused(Exception):
    """A request that is answered with a status instead of a result."""

    def __init__(self, status: int, what: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(what)
        self.status, self.what, self.headers = status, what, dict(headers or {})


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
        _check_text(body)
        (folder / ROWS_FILE).write_bytes(body)
        return args_of(http.query_params.get("args", "{}"))
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


def parse_json(body: bytes | str) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from error


def args_of(text: str) -> Args:
    """Args from JSON text."""
    return checked_args(parse_json(text or "{}"))


def checked_args(content: object) -> Args:
    """``{step: {key: value}}``.

    Raises:
        Refused: it is something else.
    """
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(
        isinstance(each, dict) for each in content.values()
    ):
        raise Refused(422, "'args' is not of the form {step: {key: value}}")
    return content


def write_rows(rows: object, path: Path) -> None:
    """Rows of a table, each an object, as CSV; columns in the order in which they come up.

    Raises:
        Refused: they are something else.
    """
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Refused(422, "'rows' is not a list of objects, one for each row")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        raise Refused(422, "'rows' has no columns")
    if any(isinstance(value, dict | list) for row in rows for value in row.values()):
        raise Refused(
            422, "a value in 'rows' is an object or a list; a cell of a table holds one value"
        )
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(rows)
    except (UnicodeEncodeError, csv.Error) as error:
        raise Refused(422, f"'rows' cannot be written as a table: {error}") from error


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
        return args_of(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)
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


def _check_text(body: bytes) -> None:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the table is not UTF-8: {error}") from error
    if not text.strip() or "\0" in text:
        raise Refused(
            422, "the table is empty" if not text.strip() else "the table has a NUL in it"
        )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
