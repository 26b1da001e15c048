"""Kill whole loops of one project, each in a container of its own, and count what comes back.

    python tests/slow/kill_containers.py [REQUESTS]      300 by default; needs root

Each loop is process 1 of its own PID namespace; the project's folder and Redis are shared. Every
request has to be answered on both lists, its archive has to hold its own data, and a request is
given up only where its loop was killed twice.
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

LOOPS, LONGEST_S = 3, 3.0  # between two kills
CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
ASSET = """\
import time
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        mine = next(Path(self.asset.get_input_path()).rglob("*.csv")).read_text()
        time.sleep(0.05)
        Path(self.asset.get_output_path(), "out.csv").write_text(mine)
        self.asset.save_summary(mine.strip(), 0.5)
        self.asset.save_data({})
        self.asset.save_config(self.config)
"""
PLAN = """\
name: kills
user_parameters:
  - inference_pipeline:
    - step: inference
control:
  - backup_artifacts: False
"""


class Loops:
    """Loops in containers; a killed one is replaced."""

    def __init__(self, home: Path, port: int) -> None:
        alo = [*CONTAINER, sys.executable, "-m", "alo.cli.main", "run", "--loop", "--quiet"]
        self._command = [*alo, "--redis", f"127.0.0.1:{port}", "--project", str(home)]
        self._running = [self._start() for _ in range(LOOPS)]
        self._done, self.kills = threading.Event(), 0
        self._thread = threading.Thread(target=self._kill)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command)

    def _kill(self) -> None:
        while not self._done.wait(random.uniform(0.5, LONGEST_S)):  # noqa: S311 - any will do
            at = random.randrange(LOOPS)  # noqa: S311
            self._running[at].kill()
            self._running[at].wait()
            self._running[at] = self._start()
            self.kills += 1

    def end(self) -> None:
        self._done.set()
        self._thread.join()
        for loop in self._running:
            loop.kill()
            loop.wait()


def main(count: int) -> int:
    """Exit status: 1 where a request was lost, or has another one's data."""
    import redis

    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        home = _write(base, count)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = [shutil.which("redis-server") or "redis-server", "--port", str(port)]
        with subprocess.Popen(
            [*server, "--save", "", "--dir", name], stdout=subprocess.DEVNULL
        ) as redis_server:
            time.sleep(0.5)
            client = redis.Redis(port=port)
            for number in range(count):
                client.rpush("request_inference", _request(base, number))
            loops = Loops(home, port)
            try:
                answers = _answers(client, count)
            finally:
                loops.end()
                redis_server.kill()
        sys.stdout.write(f"{loops.kills} loops killed\n")
        return _judge(answers, base, count)


def _answers(client: Any, count: int) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {"inference_summary": [], "inference_artifacts": []}
    end = time.monotonic() + 120 + count
    for name, answers in found.items():
        results: set[str] = set()
        while len(results) < count and time.monotonic() < end:
            if item := client.blpop(name, 5):
                answers.append(json.loads(item[1]))
                message = answers[-1]["message"]
                is_good = answers[-1]["status"] == "success"
                results.add(message["result"] if is_good else f"failed {len(answers)}")
    return found


def _judge(found: dict[str, list[dict[str, Any]]], base: Path, count: int) -> int:
    words, status = {f"n{number}" for number in range(count)}, 0
    for name, answers in found.items():
        good = {each["message"]["result"] for each in answers if each["status"] == "success"}
        failed = [each["message"] for each in answers if each["status"] != "success"]
        missing = len(words - good) - len(failed)
        odd = [text for text in failed if "died each time" not in text]
        reported = f"{len(answers)} answers to {count} requests, {len(failed)} of them failed"
        sys.stdout.write(f"{name}: {reported}, {missing} missing, {odd[:3]}\n")
        status |= missing > 0 or bool(odd)
    mixed = []
    for archive in base.glob("exports/*/inference_artifacts.tar.gz"):
        with tarfile.open(archive) as packed:
            member = packed.extractfile("output/out.csv")
            content = member.read().decode().strip() if member else ""
        if content != archive.parent.name:
            mixed.append((archive.parent.name, content))
    sys.stdout.write(f"archives with another request's data: {mixed}\n")
    return int(status or bool(mixed))


def _request(base: Path, number: int) -> str:
    pipeline = {
        "type": "inference",
        "dataset_uri": [f"{base}/data/n{number}/"],
        "artifact_uri": f"{base}/exports/n{number}/",
    }
    return json.dumps({"solution_metadata": {"pipeline": [pipeline]}})


def _write(base: Path, count: int) -> Path:
    home = base / "solution"
    (home / "assets" / "inference").mkdir(parents=True)
    (home / "assets" / "inference" / "asset_inference.py").write_text(ASSET)
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(PLAN)
    for number in range(count):
        folder = base / "data" / f"n{number}"
        folder.mkdir(parents=True)
        (folder / "x.csv").write_text(f"n{number}\n")
    return home


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
