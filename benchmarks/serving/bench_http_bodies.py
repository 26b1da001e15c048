"""Another client's ``/healthz`` while a large body, or a Redis that hangs, is dealt with.

A process of its own asks every 10 ms over one connection. Meanwhile bodies are posted, one after
the other, and the memory of all the service's processes is looked at every 20 ms.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.processes import in_memory
from benchmarks.rows import Row, show
from benchmarks.serving.bench_http import served
from benchmarks.serving.bench_loop import process_tree, redis_process, write_pipeline
from benchmarks.serving.bench_loop import served as loop_served

ASK_EVERY_S, LOOK_EVERY_S = 0.01, 0.02
MEDIAN_MS, LONGEST_MS, TIMES_THE_BODY = 50, 500, 4
HUNG_S = 4.0


class _Body(NamedTuple):
    what: str
    path: str
    content: bytes


def measure() -> list[Row]:
    with in_memory() as folder:
        home = write_pipeline(Path(folder) / "solution")
        with served(home, "--workers", "1") as (url, pid):
            rows = [
                row
                for make in (_million, _rows, _tensors, _text)
                for row in _post(url, pid, make())
            ]
        return rows + _hung_redis(home, Path(folder))


def _post(url: str, pid: int, body: _Body) -> list[Row]:
    before = _memory(pid)
    with _peak_memory(pid) as peak, _asking(url) as times:
        _ask(url, "POST", body.path, body.content)
    megabytes = len(body.content) / 1e6
    what = f"HTTP, {body.what} ({megabytes:.0f} MB)"
    grown = (peak[0] - before) / 1e6
    return [
        *_waits(what, times),
        Row(f"{what}: growth of all processes : the body", grown, megabytes, TIMES_THE_BODY, "MB"),
    ]


def _waits(what: str, times: list[float]) -> list[Row]:
    return [
        Row(f"{what}: /healthz of another client, median", median(times), None, MEDIAN_MS, "ms"),
        Row(f"{what}: the longest of {len(times)}", max(times), None, LONGEST_MS, "ms"),
    ]


def _hung_redis(home: Path, base: Path) -> list[Row]:
    """Requests wait for a Redis that does not answer."""
    with redis_process(base) as (port, server), loop_served(home, port):
        address = f"redis://127.0.0.1:{port}"
        with served(home, "--queue", address) as (url, _):
            asking = threading.Thread(target=_ask_often, args=(url, HUNG_S))
            with _asking(url) as times:
                os.kill(server, signal.SIGSTOP)
                asking.start()
                time.sleep(HUNG_S)
                os.kill(server, signal.SIGCONT)
            asking.join()
    return _waits("HTTP, a Redis that hangs", times)


def _ask_often(url: str, seconds: float) -> None:
    content, end = b'{"rows": [{"a": 1}]}', time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            _ask(url, "POST", "/v1/inference", content, timeout_s=1)
        except OSError:  # that it does not answer is what is measured
            continue


def _million() -> _Body:
    rows = ", ".join(f'{{"a": {at}, "b": {at / 7:.6f}, "c": "x{at}"}}' for at in range(1_000_000))
    return _Body("1,000,000 rows", "/v1/inference", f'{{"rows": [{rows}]}}'.encode())


def _rows() -> _Body:
    row = ", ".join(f'"column_{at}": {at * 1.25}' for at in range(10))
    return _Body("rows of 10 columns", "/v1/inference", _list(row, 71_000_000))


def _list(row: str, size: int) -> bytes:
    return f'{{"rows": [{", ".join([f"{{{row}}}"] * (size // (len(row) + 4)))}]}}'.encode()


def _tensors() -> _Body:
    random.seed(1)
    values = [random.random() for _ in range(26_000_000 // 20)]  # noqa: S311 - no secrets
    tensor = {"name": "a", "shape": [len(values)], "datatype": "FP64", "data": values}
    content = json.dumps({"inputs": [tensor]}).encode()
    return _Body("tensors", "/v2/models/benchmark/infer", content)


def _text() -> _Body:
    text = base64.b64encode(os.urandom(74_000_000)).decode()
    return _Body("base64", "/v1/inference", f'{{"rows": [{{"a": "{text}"}}]}}'.encode())


def _ask(url: str, verb: str, path: str, content: bytes, timeout_s: float = 120) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_s)
    try:
        connection.request(verb, path, content, {"content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 500 and timeout_s > 1:
            raise RuntimeError(text)
    finally:
        connection.close()


@contextmanager
def _asking(url: str) -> Iterator[list[float]]:
    """Milliseconds of each ``/healthz`` meanwhile; there once it has ended."""
    times: list[float] = []
    command = [sys.executable, "-m", __spec__.name, "--ask", url]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    next(iter(process.stdout or ()))  # it asks from now on
    try:
        yield times
    finally:
        times += json.loads(process.communicate("")[0])


def _ask_until_end_of_input(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    times, ended = [], threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not ended.wait(ASK_EVERY_S):
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        times.append((time.perf_counter() - began) * 1e3)
    json.dump(times, sys.stdout)


@contextmanager
def _peak_memory(pid: int) -> Iterator[list[int]]:
    peak, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_EVERY_S):
            peak[0] = max(peak[0], _memory(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _memory(pid: int) -> int:
    """Bytes of a process and all below it, without those of files and of what is shared."""
    return sum(map(_own_bytes, process_tree(pid)))


def _own_bytes(pid: int) -> int:
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:  # it has ended meanwhile
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGESIZE")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        _ask_until_end_of_input(sys.argv[2])
    else:
        show(measure())
