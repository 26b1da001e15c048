"""The loop: engine time per request, and what 10,000 requests leave behind.

Engine time is what a client waits for: from the request's push until both answers have come, the
client's own round trips included, over a Redis on loopback; the artifacts are zipped to a folder.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import ALO
from benchmarks.rows import Row, show
from benchmarks.solutions import EMPTY_ASSET

REQUESTS, MANY, WARM = 2000, 10_000, 500
LAST = EMPTY_ASSET.replace(
    "        self.asset.save_data({})\n",
    "        with open(self.asset.get_output_path() + 'out.csv', 'w') as file:\n"
    "            file.write('a')\n"
    "        self.asset.save_summary('fine', 0.5)\n"
    "        self.asset.save_data({})\n",
)


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as port:
        home = write_pipeline(Path(folder) / "solution")
        with served(home, port) as loop:
            return [*_measure_times(Path(folder), port), *_measure_growth(Path(folder), port, loop)]


def _measure_times(base: Path, port: int) -> list[Row]:
    client = _Client(base, port)
    for _ in range(WARM):
        client.ask()
    times = sorted(client.ask() * 1e3 for _ in range(REQUESTS))
    what = "a request to an empty three-step pipeline in the loop"
    return [
        Row(f"{what}, p50", median(times), None, 6, "ms"),
        Row(f"{what}, p99", times[int(len(times) * 0.99)], None, 20, "ms"),
    ]


def _measure_growth(base: Path, port: int, loop: int) -> list[Row]:
    client = _Client(base, port)
    before = [_state(pid) for pid in process_tree(loop)]
    for _ in range(MANY):
        client.ask()
    after = [_state(pid) for pid in process_tree(loop)]
    growth = [
        sum(state[kind] for state in after) - sum(state[kind] for state in before)
        for kind in range(3)
    ]
    what = f"{MANY:,} requests, growth of"
    return [
        Row(f"{what} memory", growth[0] / 1e6, None, 5, "MB"),
        Row(f"{what} open files", growth[1], None, 0, ""),
        Row(f"{what} threads", growth[2], None, 0, ""),
    ]


class _Client:
    def __init__(self, base: Path, port: int) -> None:
        import redis

        self._redis: Any = redis.Redis(port=port)
        data = base / "data" / "one"
        data.mkdir(parents=True, exist_ok=True)
        (data / "x.csv").write_text("a\n1\n")
        pipeline = {
            "type": "inference",
            "dataset_uri": [f"{data}/"],
            "artifact_uri": f"{base}/out/",
            "parameters": {"selected_user_parameters": []},
        }
        self._request = json.dumps({"solution_metadata": {"pipeline": [pipeline]}})

    def ask(self) -> float:
        """Seconds until both answers are there."""
        began = time.perf_counter()
        self._redis.rpush("request_inference", self._request)
        for name in ("inference_summary", "inference_artifacts"):
            _, text = self._redis.blpop(name)
            if json.loads(text)["status"] != "success":
                raise RuntimeError(text)
        return time.perf_counter() - began


def write_pipeline(home: Path) -> Path:
    """An inference pipeline of three steps that do as little as they can."""
    for step, code in (("first", EMPTY_ASSET), ("second", EMPTY_ASSET), ("third", LAST)):
        (home / "assets" / step).mkdir(parents=True)
        (home / "assets" / step / f"asset_{step}.py").write_text(code)
    (home / "solution").mkdir()
    plan = ["name: benchmark", "user_parameters:", "  - inference_pipeline:"]
    plan += [f"    - step: {step}" for step in ("first", "second", "third")]
    plan += ["control:", "  - backup_artifacts: False", "  - save_inference_format: zip"]
    (home / "solution" / "experimental_plan.yaml").write_text("\n".join(plan) + "\n")
    return home


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """The port of a Redis of our own."""
    with redis_process(folder) as (port, _):
        yield port


@contextmanager
def redis_process(folder: Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a Redis of our own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = shutil.which("redis-server") or "redis-server"
    command = [server, "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    try:
        time.sleep(0.5)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def served(home: Path, port: int) -> Iterator[int]:
    command = [ALO, "run", "--loop", "--redis", f"127.0.0.1:{port}", "--project", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    output = iter(process.stdout or ())
    for line in output:
        if "serving requests" in line:
            break
    # What assets print has to be read, or the loop would wait for that.
    threading.Thread(target=deque, args=(output, 0), daemon=True).start()
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def process_tree(pid: int) -> list[int]:
    """A process and all that it has started, and so on."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for file in children for child in file.read_text().split()]
    return [pid, *(each for child in sorted(found) for each in process_tree(child))]


def _state(pid: int) -> tuple[int, int, int]:
    """Memory in bytes, open files and threads of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return pages * os.sysconf("SC_PAGESIZE"), files, len(os.listdir(f"/proc/{pid}/task"))


if __name__ == "__main__":
    show(measure())
