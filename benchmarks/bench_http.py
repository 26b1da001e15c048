"""HTTP: rows in, summary out, an empty three-step pipeline; measured with wrk on loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench_loop import write_pipeline
from benchmarks.processes import ALO, BenchmarkError
from benchmarks.rows import Row, show

SECONDS = 10
POST = """\
wrk.method = "POST"
wrk.body = '{"rows": [{"a": 1}]}'
wrk.headers["content-type"] = "application/json"
"""


def measure() -> list[Row]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is not installed (Debian, Ubuntu: apt install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        home = write_pipeline(Path(folder) / "solution")
        script = Path(folder) / "post.lua"
        script.write_text(POST)
        with _served(home) as url:
            _ask(wrk, script, url, 1, 3)
            one = _ask(wrk, script, url, 1, SECONDS)
            eight = _ask(wrk, script, url, 8, SECONDS)
    what = "HTTP, empty three-step pipeline, 2 workers"
    return [
        Row(f"{what}: p50, 1 connection", _p50_ms(one), None, 8, "ms"),
        Row(f"{what}: s for 250 requests, 8 connections", 250 / _rate(eight), None, 1, "s"),
    ]


def _ask(wrk: str, script: Path, url: str, connections: int, seconds: int) -> str:
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(script), "--latency"]
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


def _rate(text: str) -> float:
    found = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if found is None:
        raise BenchmarkError(text)
    return float(found[1])


@contextmanager
def _served(home: Path) -> Iterator[str]:
    command = [ALO, "serve", "--port", "0", "--workers", "2", "--project", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    try:
        for line in process.stdout or ():
            if found := re.search(r"serving at (\S+),", line):
                yield found[1]
                break
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    show(measure())
