"""The body of a request becomes its input data: in this process, or in one of its own (``main``).

Imports nothing of the server, so that such a process starts fast.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from email.message import Message
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from alo.serve.http_api.bodies.binary_tensors import attach, head_length
from alo.serve.http_api.bodies.json_rows import BOM, write_in_pieces, write_table
from alo.serve.http_api.bodies.json_values import (
    check_args,
    known_encoding,
    parse_json,
    text_of,
)
from alo.serve.http_api.bodies.tensors import write_tensors
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.texts import is_odd
from alo.workers.protocol import NO_ARGS, Args

ROWS_FILE = "data.csv"
CONTENT = re.compile(f"[^{BOM} \\t\\r\\n]")  # of a table that is not empty


class Job(NamedTuple):
    """A body to be parsed."""

    kind: str  # rows, csv or tensors
    file: str  # with the body in it, where it is not at hand
    folder: str  # for the data
    content_type: str
    limits: TableLimits
    head: str = ""  # of tensors: how long the JSON before their bytes is


class Parsed(NamedTuple):
    """What came of it."""

    args: Args = NO_ARGS
    status: int = 0  # of the answer that refuses it
    what: str = ""
    limit: str = ""


def parse(job: Job) -> Parsed:
    """Write the data of a body, which is in a file, into its folder.

    Raises:
        OSError: the disk has no room, or the like.
    """
    with open(Path(job.folder) / ROWS_FILE, "w", encoding="utf-8", newline="") as file:
        return _parsed(job, Path(job.file).read_bytes, file)


def parse_small(job: Job, body: bytes) -> tuple[Parsed, bytes]:
    """What is in a body, and its data as a table: no file is read or written."""
    file = StringIO(newline="")
    return _parsed(job, lambda: body, file), file.getvalue().encode()


def _parsed(job: Job, read: Callable[[], bytes], file: TextIO) -> Parsed:
    """Parse what ``read`` gives; nothing here holds the bytes once they are text or values."""
    try:
        if job.kind == "csv":
            write_in_pieces(table_text(read(), job.content_type, job.limits), file)
            return Parsed()
        if job.kind == "tensors":
            return Parsed(write_tensors(_tensors(read, job.head), file, job.limits))
        args: Any = write_table(text_of(read()), file, job.limits)
        return Parsed(check_args(args, job.limits.depth))
    except RefusedError as refused:
        return Parsed(NO_ARGS, refused.status, refused.what, refused.limit)


def _tensors(read: Callable[[], bytes], head: str) -> object:
    """The JSON of tensors; those that are bytes behind it have their values from there."""
    if not head:
        content = parse_json(text_of(read()))
        attach(content, memoryview(b""))
        return content
    body = read()
    length = head_length(head, len(body)) or len(body)
    content = parse_json(body[:length])
    attach(content, memoryview(body)[length:])
    return content


def main() -> None:
    """Parse what standard input names; say what came of it on standard output."""
    said = os.dup(1)
    os.dup2(2, 1)  # nothing else may come between
    content = json.load(sys.stdin)
    job = Job(**{**content, "limits": TableLimits(*content["limits"])})
    try:
        parsed = parse(job)
    except OSError as error:
        parsed = Parsed(
            NO_ARGS, 507, f"the data of the request cannot be written: {error.strerror}"
        )
    except MemoryError:
        parsed = Parsed(NO_ARGS, 413, "there is not enough memory for the body", "body")
    with open(said, "w", encoding="utf-8") as output:
        json.dump(parsed._asdict(), output)


def table_text(body: bytes, content_type: str, limits: TableLimits) -> str:
    """The text of a table that a client has sent.

    Args:
        content_type: the header, which may name the encoding that it is in.
    Raises:
        RefusedError: it is none.
    """
    header = Message()
    header["content-type"] = content_type
    encoding = known_encoding(str(header.get_param("charset", "utf-8")))
    try:
        text = body.decode(encoding)
    except UnicodeError as error:
        fix = "name its encoding: content-type: text/csv; charset=…"
        raise RefusedError(400, f"the table is not {encoding.upper()}: {error}; {fix}") from error
    if CONTENT.search(text) is None:
        raise RefusedError(422, "the table is empty")
    if is_odd(text):
        raise RefusedError(400, "the table has a NUL or half a character in it")
    # At least as many as there are: a separator may be in a quoted cell.
    lines = max(text.count("\n"), text.count("\r"))  # some write the one, some the other
    limits.check_columns(text.partition("\n")[0].count(",") + 1)
    limits.check_cells(text.count(",") + lines + 1)
    return text
