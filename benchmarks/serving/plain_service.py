"""What ``alo serve`` is compared with: a bare Starlette application with two worker processes.

It writes the rows of a request to a CSV in a folder of the request's own, has a worker read that
and write an output and a summary, answers with both, and keeps as many outputs as ``alo serve``.

``python -m benchmarks.serving.plain_service FOLDER`` serves on a free port, which it prints.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

WORKERS, MOST_KEPT = 2, 1000


class _Worker:
    """One process, spoken to in lines over a socket pair."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", __spec__.name, "--worker"]
        self.process = subprocess.Popen(command, stdin=theirs)  # noqa: S603 - ourselves
        theirs.close()

    async def connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(sock=self._ours)

    async def ask(self, folder: str) -> dict[str, object]:
        self._writer.write(f"{folder}\n".encode())
        answer: dict[str, object] = json.loads(await self._reader.readline())
        return answer


class _Service:
    def __init__(self, folder: str) -> None:
        self._folder, self._kept = folder, deque[str]()
        self._free: asyncio.Queue[_Worker] = asyncio.Queue()

    @asynccontextmanager
    async def running(self, app: Starlette) -> AsyncIterator[None]:
        workers = [_Worker() for _ in range(WORKERS)]
        for worker in workers:
            await worker.connect()
            self._free.put_nowait(worker)
        yield
        for worker in workers:
            worker.process.terminate()
            worker.process.wait()

    async def infer(self, http: Request) -> JSONResponse:
        rows = (await http.json())["rows"]
        request_id = os.urandom(8).hex()
        folder = f"{self._folder}/{request_id}"
        os.mkdir(folder)
        with open(f"{folder}/data.csv", "w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        worker = await self._free.get()
        try:
            answer = await worker.ask(folder)
        finally:
            self._free.put_nowait(worker)
        self._kept.append(folder)
        if len(self._kept) > MOST_KEPT:
            shutil.rmtree(self._kept.popleft())
        return JSONResponse({"id": request_id, "status": "success", **answer, "error": None})


def _work() -> None:
    """A worker: read the table of each folder that it is sent, write an output and a summary."""
    with socket.socket(fileno=0) as connection, connection.makefile("rw") as lines:
        for line in iter(lines.readline, ""):
            folder = line.rstrip("\n")
            with open(f"{folder}/data.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            with open(f"{folder}/out.csv", "w") as file:
                file.write("a")
            summary = {"result": "fine", "score": 0.5, "rows": len(rows)}
            with open(f"{folder}/summary.json", "w") as file:
                json.dump(summary, file)
            lines.write(json.dumps({"summary": summary, "outputs": ["out.csv"]}) + "\n")
            lines.flush()


def _serve(folder: str) -> None:
    service = _Service(folder)
    route = Route("/v1/inference", service.infer, methods=["POST"])
    app = Starlette(routes=[route], lifespan=service.running)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    sys.stdout.write(f"serving at http://127.0.0.1:{listening.getsockname()[1]},\n")
    sys.stdout.flush()
    config = uvicorn.Config(app, log_config=None, access_log=False, loop="asyncio")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        _work()
    else:
        _serve(str(Path(sys.argv[1]).resolve()))
