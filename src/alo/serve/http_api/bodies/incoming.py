"""Bodies of requests on their way in: counted, decompressed, and read where they block no one.

A small body stays in memory, also as the table that it becomes. A larger one goes to a file and is
turned into a table by another thread, and a large one by another process (``parser``): parsing it
would hold up every other client for as long as it takes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from alo.serve.http_api.bodies.binary_tensors import HEADER
from alo.serve.http_api.bodies.parser import ROWS_FILE, Job, Parsed, parse, parse_small
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.refusal import RefusedError
from alo.workers.protocol import NO_FILES, Args, Files

if TYPE_CHECKING:
    from starlette.requests import Request as HttpRequest

# Bytes, and cells of the table that they become: parsed at once; in a thread; else in a process.
SMALL, MEDIUM = 64_000, 1_000_000
PIECE = 1 << 20  # bytes that are decompressed, or written, before others have their turn
PARSERS = 2  # processes at once
GZIP = 16 + zlib.MAX_WBITS
ENCODINGS = {"identity": 0, "": 0, "gzip": GZIP, "x-gzip": GZIP, "deflate": zlib.MAX_WBITS}
PROGRAM = (
    "import sys; sys.path[:1] = sys.argv[1:]; "
    "from alo.serve.http_api.bodies.parser import main; main()"
)


class Taken(NamedTuple):
    """What came in with a request."""

    args: Args  # of tensors: what else the client has sent with them
    files: Files = NO_FILES  # its data, where that is not on the disk


class Bodies:
    """Those of all clients of a service."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self._unfinished = limits, 0
        self._parsers = asyncio.Semaphore(PARSERS)
        table = limits.table
        self._tables = {
            most: table._replace(cells=min(table.cells, most)) for most in (SMALL, MEDIUM)
        }

    async def parsed(
        self, http: HttpRequest, kind: str, folder: Path, content_type: str = ""
    ) -> Taken:
        """Have a body become the data of a request.

        Args:
            kind: rows, csv or tensors.
            folder: for the data; it is made where that is not small.
            content_type: of a CSV, whose encoding it may name.
        Raises:
            RefusedError: with the status that says why.
        """
        file = f"{folder}.body"
        try:
            size, content = await self._received(http, folder, file)
            head = http.headers.get(HEADER, "")
            job = Job(kind, file, str(folder), content_type, self.limits.table, head)
            return await self._parsed(job, size, content)
        finally:
            if os.path.exists(file):
                await run_in_threadpool(os.unlink, file)

    async def _parsed(self, job: Job, size: int, content: bytes | None) -> Taken:
        """Parse a body where it holds up no one: a few bytes of rows can be a very wide table."""
        if content is not None:
            parsed, table = parse_small(self._within(job, SMALL), content)
            if not _has_outgrown(parsed, job, SMALL):
                return Taken(_args(parsed), {f"{os.path.basename(job.folder)}/{ROWS_FILE}": table})
            await run_in_threadpool(_write, job, content)
        elif size <= MEDIUM:
            parsed = await run_in_threadpool(parse, self._within(job, MEDIUM))
            if not _has_outgrown(parsed, job, MEDIUM):
                return Taken(_args(parsed))
        async with self._parsers:
            return Taken(_args(await run_in_threadpool(_in_a_process, job)))

    def _within(self, job: Job, most_cells: int) -> Job:
        return job._replace(limits=self._tables[most_cells])

    def limited(self, http: HttpRequest) -> BodyStream:
        """The body of a request in pieces, none of which may be one too many."""
        return BodyStream(self, http)

    async def _received(
        self, http: HttpRequest, folder: Path, file: str
    ) -> tuple[int, bytes | None]:
        """Its size, and the body itself where it is small: else it is in the file."""
        parts: list[bytes] = []
        size, held = 0, 0
        target: BinaryIO | None = None
        async with self.limited(http) as stream:
            try:
                async for part in stream:
                    size, held = size + len(part), held + len(part)
                    parts.append(part)
                    if size > SMALL and (target is None or held >= PIECE):
                        if target is None:
                            target = await run_in_threadpool(_opened, folder, file)
                        await run_in_threadpool(target.writelines, parts)  # a disk may be slow
                        parts.clear()
                        held = 0
                if target is not None:
                    await run_in_threadpool(target.writelines, parts)
            finally:
                if target is not None:
                    await run_in_threadpool(target.close)
        return size, None if target else b"".join(parts)

    def take(self, size: int) -> None:
        """Count bytes that have come.

        Raises:
            RefusedError: more are on their way than the service has room for.
        """
        if self._unfinished + size > self.limits.bodies_bytes:
            what = "too many bytes of bodies are on their way; try again later"
            raise RefusedError(503, what, {"Retry-After": "1"}, limit="bodies")
        self._unfinished += size

    def give_back(self, size: int) -> None:
        """A body is done with: its bytes are free for those of others."""
        self._unfinished -= size


class BodyStream:
    """The pieces of one body, decompressed, within the limits.

    Raises:
        RefusedError: it is too large, or compressed in another way than gzip.
        ClientDisconnect: the client has hung up.
    """

    def __init__(self, bodies: Bodies, http: HttpRequest) -> None:
        self._bodies, self._receive, self._taken, self._size = bodies, http.receive, 0, 0
        encoding = http.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ENCODINGS:
            what = f"the content encoding is '{encoding[:50]}'; it can be gzip or deflate"
            raise RefusedError(415, what)
        bits = ENCODINGS[encoding]
        self._unpacked, self._is_done = zlib.decompressobj(bits) if bits else None, False
        self._packed: bytes | None = None  # what is left of a piece that becomes a large one
        self._was_last = False
        declared = http.headers.get("content-length", "0")
        if declared.isdigit() and len(declared) < 20 and int(declared) > self._most:
            raise self._too_large()

    @property
    def _most(self) -> int:
        return self._bodies.limits.body_bytes

    async def __aenter__(self) -> BodyStream:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._bodies.give_back(self._taken)

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        message = await self.receive()
        if not message["body"] and not message["more_body"]:
            raise StopAsyncIteration
        return bytes(message["body"])

    async def receive(self) -> dict[str, Any]:
        """As ASGI has it, for who reads a form."""
        if self._is_done:
            return {"type": "http.request", "body": b"", "more_body": False}
        body = await self._next()
        if self._unpacked is not None:
            body = self._decompressed(body)
        self._is_done = is_last = self._was_last and self._packed is None
        self._size += len(body)
        if self._size > self._most:
            raise self._too_large()
        self._bodies.take(len(body))
        self._taken += len(body)
        return {"type": "http.request", "body": body, "more_body": not is_last}

    async def _next(self) -> bytes:
        """What has come, or what is left of it."""
        if self._packed is not None:
            await asyncio.sleep(0)  # others have their turn
            return self._packed
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._was_last = not message.get("more_body", False)
        return bytes(message.get("body", b""))

    def _decompressed(self, body: bytes) -> bytes:
        assert self._unpacked is not None  # noqa: S101 - the caller has looked
        try:
            content = self._unpacked.decompress(body, PIECE)
        except zlib.error as error:
            raise RefusedError(400, f"the body is not compressed as it says: {error}") from error
        has_more = len(content) == PIECE and not self._unpacked.eof
        self._packed = self._unpacked.unconsumed_tail if has_more else None
        if self._was_last and not has_more and not self._unpacked.eof:
            raise RefusedError(400, "the body is not compressed as it says: it is cut short")
        return content

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413, f"the body is larger than {self._most / 1e6:,.0f} MB", limit="body"
        )


def _has_outgrown(parsed: Parsed, job: Job, most_cells: int) -> bool:
    """Whether a table is only too large for where it was parsed."""
    return parsed.limit == "cells" and job.limits.cells > most_cells


def _write(job: Job, content: bytes) -> None:
    with _opened(Path(job.folder), job.file) as file:
        file.write(content)


def _opened(folder: Path, file: str) -> BinaryIO:
    os.makedirs(folder)
    return open(file, "wb")


def _args(parsed: Parsed) -> Args:
    if parsed.status:
        raise RefusedError(parsed.status, parsed.what, limit=parsed.limit)
    return parsed.args


def _in_a_process(job: Job) -> Parsed:
    import alo

    folders = [str(Path(alo.__path__[0]).parent)]
    done = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", PROGRAM, *folders],
        input=json.dumps(job._asdict()),
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
    )
    try:
        return Parsed(**json.loads(done.stdout))
    except (ValueError, TypeError) as error:
        said = done.stderr.strip().rpartition("\n")[2]
        what = f"the body could not be parsed: its process ended with {done.returncode}; {said}"
        raise RefusedError(500, what) from error
