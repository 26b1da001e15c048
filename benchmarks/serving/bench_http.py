"""HTTP: rows in, summary out, a three-step pipeline that reads the rows and writes an output.

Measured with wrk on loopback, beside a bare application that does the same (``plain_service``), in
turns; on the disk and in memory, as a disk may be what both wait for. And what all processes of
each take of a processor for a request, which depends less on what else the machine does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.processes import ALO, BenchmarkError, in_memory, python
from benchmarks.rows import Row, show
from benchmarks.serving.bench_loop import LAST, process_tree, write_pipeline
from benchmarks.solutions import EMPTY_ASSET

SECONDS, ROUNDS, MANY = 2, 3, 8
POST = """\
wrk.method = "POST"
wrk.body = '{"rows": [{"a": 1}]}'
wrk.headers["content-type"] = "application/json"
"""
READ = (
    "        with open(self.asset.get_input_path() + 'request/data.csv', newline='') as file:\n"
    "            self.rows = list(csv.DictReader(file))\n"
)
READING = EMPTY_ASSET.replace("        self.asset.save_data", f"{READ}        self.asset.save_data")


class _Speed(NamedTuple):
    p50_ms: float  # at one connection
    many_ms: float  # from one answer to the next, at eight connections
    cpu_ms: float  # of all its processes for a request, at eight connections


def measure() -> list[Row]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is not installed (Debian, Ubuntu: apt install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        disk = _compared(wrk, Path(folder))
    with in_memory() as folder:
        memory = _compared(wrk, Path(folder))
    best = min(disk, memory, key=lambda place: place.three.many_ms / place.bare.many_ms)
    rows = []
    for where, place in (("disk", disk), ("memory", memory)):
        limit = 2 if place is best else None
        for steps, ours, most in (
            ("three steps", place.three, limit),
            ("one step", place.one, None),
        ):
            what = f"HTTP, {steps}, 2 workers : a bare application, {where}"
            bare = place.bare
            rows += [
                Row(f"{what}: p50, 1 connection", ours.p50_ms, bare.p50_ms, most, "ms"),
                Row(
                    f"{what}: a request of {MANY} connections",
                    ours.many_ms,
                    bare.many_ms,
                    most,
                    "ms",
                ),
                Row(f"{what}: processor time of a request", ours.cpu_ms, bare.cpu_ms, None, "ms"),
            ]
    what = "HTTP, three-step pipeline, 2 workers"
    return [
        *rows,
        Row(f"{what}: p50, 1 connection", best.three.p50_ms, None, 8, "ms"),
        Row(
            f"{what}: s for 250 requests, {MANY} connections", best.three.many_ms / 4, None, 1, "s"
        ),
    ]


class _Place(NamedTuple):
    three: _Speed  # of a pipeline of three steps
    one: _Speed  # of a pipeline of one step that does all of it
    bare: _Speed


def _compared(wrk: str, folder: Path) -> _Place:
    """ALO and the bare application, which put their files into this folder."""
    three = write_pipeline(folder / "three")
    (three / "assets" / "first" / "asset_first.py").write_text(f"import csv\n{READING}")
    one = write_pipeline(folder / "one")
    plan = one / "solution" / "experimental_plan.yaml"
    plan.write_text(re.sub(r"    - step: (first|second)\n", "", plan.read_text()))
    whole = LAST.replace("        with open", f"{READ}        with open", 1)
    (one / "assets" / "third" / "asset_third.py").write_text(f"import csv\n{whole}")
    script, bare = folder / "post.lua", folder / "bare"
    script.write_text(POST)
    bare.mkdir()
    command = python("-m", "benchmarks.serving.plain_service", bare)
    workers = "--workers", "2"
    with (
        served(three, *workers) as first,
        served(one, *workers) as second,
        started(command) as third,
    ):
        services = first, second, third
        for url, _ in services:
            _ask(wrk, script, url, MANY)  # warm
        rounds = [[_speed(wrk, script, *each) for each in services] for _ in range(ROUNDS)]
    return _Place(*(_median(speeds) for speeds in zip(*rounds, strict=True)))


def _median(speeds: Sequence[_Speed]) -> _Speed:
    return _Speed(*(median(values) for values in zip(*speeds, strict=True)))


def _speed(wrk: str, script: Path, url: str, pid: int) -> _Speed:
    p50_ms = _p50_ms(_ask(wrk, script, url, 1))
    before = _cpu_s(pid)
    text = _ask(wrk, script, url, MANY)
    cpu_ms = (_cpu_s(pid) - before) * 1e3 / _answers(text)
    return _Speed(p50_ms, 1e3 / _rate(text), cpu_ms)


def _cpu_s(pid: int) -> float:
    """What a process and all that it has started have taken of a processor so far."""
    ticks = 0
    for each in process_tree(pid):
        fields = Path(f"/proc/{each}/stat").read_bytes().rpartition(b")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _ask(wrk: str, script: Path, url: str, connections: int) -> str:
    command = [wrk, "-t1", f"-c{connections}", f"-d{SECONDS}", "-s", str(script), "--latency"]
    done = subprocess.run(  # noqa: S603 - our own
        [*command, f"{url}/v1/inference"], capture_output=True, text=True, check=True
    )
    if "Non-2xx" in done.stdout:
        raise BenchmarkError(done.stdout)
    return done.stdout


def _p50_ms(text: str) -> float:
    found = re.search(r"50%\s+([\d.]+)(us|ms|s)", text)
    if found is None:
        raise BenchmarkError(text)
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def _answers(text: str) -> int:
    found = re.search(r"(\d+) requests in", text)
    if found is None:
        raise BenchmarkError(text)
    return int(found[1])


def _rate(text: str) -> float:
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None:
        raise BenchmarkError(text)
    return float(found[1])


@contextmanager
def served(home: Path, *words: str) -> Iterator[tuple[str, int]]:
    """The URL and the process of an ``alo serve``."""
    with started([ALO, "serve", "--port", "0", "--project", str(home), *words]) as found:
        yield found


@contextmanager
def started(command: list[str]) -> Iterator[tuple[str, int]]:
    """The URL and the process of a command that serves, once it says so."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        for line in process.stdout or ():
            if found := re.search(r"serving at (\S+),", line):
                yield found[1], process.pid
                break
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    show(measure())
