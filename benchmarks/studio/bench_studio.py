"""The studio: pages of a long history, its start, its memory, and a line of a run on its way.

A page is timed over loopback, in turns with a bare Starlette route (``plain_page``) that runs the
same query of the index and renders 50 rows of 10 columns with Jinja2.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from alo.history.filters import Filters
from alo.history.index import table
from alo.history.index.pages import Wanted, page_of_runs
from alo.layout import Workspace
from benchmarks.processes import ALO, in_memory, python
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution
from benchmarks.storage.bench_history import record_of, write_record

RUNS = 10_000
PAGE, RARE, FOUND = 200, "needle", (9, 5_000, 9_990)
ROUNDS, WATCHERS, LINES, RUNS_WATCHED = 60, 10, 100, 3
COLUMNS = "pipeline,status,start_time,seconds,score,result,note,model,args.step_a.depth"


def measure() -> list[Row]:
    with in_memory() as folder:
        home = Path(folder) / "many"
        write_empty_solution(home, 5)
        for number in range(RUNS):
            record = record_of(number)
            write_record(
                Workspace(home),
                record._replace(note=RARE) if number in (9, 5_000, 9_990) else record,
            )
        rows = _measure_pages(home)
    return [*rows, *_measure_lines()]


class Studio(NamedTuple):
    """One that runs."""

    port: int
    pid: int
    answers_s: float  # from its start to its first page


def _measure_pages(home: Path) -> list[Row]:
    table.ask(Workspace(home), lambda runs: None)  # it is made once, by whichever command is first
    starts, cpu = [], []
    for _ in range(5):
        with studio(home) as each:
            starts.append(each.answers_s)
            cpu.append(_cpu_s(each.pid))
    with studio(home) as opened, plain(home) as bare:
        memory = _memory_mb(opened.pid)
        query = f"/runs?columns={COLUMNS}"
        paths = [query, f"{query}&page={_key_of(Workspace(home), PAGE)}", f"{query}&q={RARE}"]
        ours, far, rare, theirs = in_turns(
            *(lambda path=path: get(opened.port, path) for path in paths), lambda: get(bare, "/")
        )
        after = _memory_mb(opened.pid)
        first, following = _bytes_over_wire(opened.port, paths[0], paths[1])
    what = f"/runs of {RUNS:,}"
    return [
        Row(f"{what}: p95", p95(ours), None, 50, "ms"),
        Row(f"{what} : a bare route, p95", p95(ours), p95(theirs), 3, "ms"),
        Row(f"{what}, page {PAGE} : page 1, p95", p95(far), p95(ours), 2, "ms"),
        Row(f"{what}, a filter that finds 3 : page 1, p95", p95(rare), p95(ours), 2, "ms"),
        Row(
            f"{what}: first visit, {len(first)} answers (8 at most), gzip",
            sum(first) / 1e3,
            None,
            100,
            "kB",
        ),
        Row(f"{what}: the next page, gzip", following / 1e3, None, 20, "kB"),
        Row("alo ui: from its start to its first answer", sorted(starts)[2], None, 0.8, "s"),
        Row("alo ui: the same, processor time", sorted(cpu)[2], None, None, "s"),
        Row("alo ui: memory when it has started", memory, None, 90, "MB"),
        Row(f"alo ui: memory after {4 * ROUNDS} pages", after, None, 90, "MB"),
    ]


def _measure_lines() -> list[Row]:
    """From a print in a step to the line at each of the watchers, and what they cost the run."""
    late: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _write_printing_solution(home)
        with studio(home) as opened:
            alone, watched = [], []
            for _ in range(RUNS_WATCHED):
                alone.append(_seconds_of_run(home, opened.port, 0, late))
                watched.append(_seconds_of_run(home, opened.port, WATCHERS, late))
    what = f"a run that prints {LINES} lines in {median(alone):.0f} s"
    return [
        Row(f"a line of a step, at {WATCHERS} watchers: p95", p95(late) / 1e3, None, 0.5, "s"),
        Row(f"{what}, with {WATCHERS} watchers : without", min(watched), min(alone), 1.01, "s"),
    ]


def _write_printing_solution(home: Path) -> None:
    write_empty_solution(home, 1)
    asset = next(home.glob("assets/*/*.py"))
    body = f"for _ in range({LINES}):\n            print('at', time.time(), flush=True)\n"
    body += "            time.sleep(0.05)\n        "
    text = asset.read_text().replace("self.asset.save_data", f"{body}self.asset.save_data", 1)
    asset.write_text(f"import time\n{text}")


def _seconds_of_run(home: Path, port: int, count: int, late: list[float]) -> float:
    """How long its steps take, as the run itself says, while so many watch."""
    command = [ALO, "run", "--mode", "train", "--project", str(home)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        run_id = _running(port)
        watchers = [
            threading.Thread(target=_watch, args=(port, run_id, late)) for _ in range(count)
        ]
        for each in watchers:
            each.start()
        for each in watchers:
            each.join()
        process.wait()
    seconds: float = json.loads(get(port, f"/runs/{run_id}.json"))["seconds"]
    return seconds


def _running(port: int) -> str:
    while True:
        running = json.loads(get(port, "/overview.json"))["running"]
        if running:
            found: str = running["id"]
            return found
        time.sleep(0.02)


def _watch(port: int, run_id: str, late: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    began = time.time()
    connection.request("GET", f"/events?run={run_id}")
    for line in connection.getresponse():
        now = time.time()
        printed = map(float, re.findall(rb"at ([\d.]+)\\n", line))
        late += [(now - each) * 1e3 for each in printed if each > began]  # not what was there
    connection.close()


@contextmanager
def studio(home: Path) -> Iterator[Studio]:
    """An ``alo ui`` of a project."""
    start = time.perf_counter()
    command = [ALO, "ui", "--port", "0", "--json", "--no-sign-in", "--project", str(home)]
    with started(command) as (process, reported):
        get(reported["port"], "/sign-in")
        yield Studio(reported["port"], process.pid, time.perf_counter() - start)


@contextmanager
def plain(home: Path) -> Iterator[int]:
    """The port of the bare route."""
    with started(python("-m", "benchmarks.studio.plain_page", home)) as (_, reported):
        yield reported["port"]


@contextmanager
def started(command: Sequence[str]) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        assert process.stdout is not None  # noqa: S101
        yield process, json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def get(port: int, path: str) -> bytes:
    """The body of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise ValueError(f"{path}: {answer.status}: {body[:500]!r}")
    return body


def in_turns(*work: Callable[[], object]) -> list[list[float]]:
    """Milliseconds of each, all once in each round."""
    seen: list[list[float]] = [[] for _ in work]
    for turn in range(-3, ROUNDS):
        for each, times in zip(work, seen, strict=True):
            start = time.perf_counter()
            each()
            if turn >= 0:
                times.append((time.perf_counter() - start) * 1e3)
    return seen


def p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1]


def _bytes_over_wire(port: int, page: str, following: str) -> tuple[list[int], int]:
    """Bytes of each answer of a first visit, and of the next page, as they are sent."""
    html, size = _packed(port, page)
    files = dict.fromkeys(re.findall(rb'(?:href|src)="(/static/[^"]+)"', html))
    sizes = [size, *(_packed(port, each.decode())[1] for each in files)]
    return sizes, _packed(port, following)[1]


def _packed(port: int, path: str) -> tuple[bytes, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders())
    connection.close()
    is_packed = answer.getheader("Content-Encoding") == "gzip"
    return gzip.decompress(body) if is_packed else body, len(body) + head


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _key_of(workspace: Workspace, page: int) -> str:
    key = ""
    for _ in range(page - 1):
        key = page_of_runs(workspace, Wanted(Filters()), key=key).next
    return key


def _memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1e3 if found else float("nan")


if __name__ == "__main__":
    show(measure())
