"""Kill the workers of a loop at random moments while it serves, and count what comes back.

    python tests/slow/kill_workers.py [REQUESTS]      2,000 by default

Every request has to be answered on both lists. Each answers with its own number, so that one that
is answered again (which may happen) is answered alike.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

LONGEST_S = 0.6  # between two kills
ASSET = """\
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        Path(self.asset.get_output_path(), "out.csv").write_text("a")
        self.asset.save_summary(str(self.asset.load_args()["word"]), 0.5)
        self.asset.save_data({})
        self.asset.save_config(self.config)
"""
PLAN = """\
name: kills
user_parameters:
  - inference_pipeline:
    - step: inference
      args:
        - word: none
control:
  - backup_artifacts: False
"""


def main(count: int) -> int:
    """Exit status: 1 where a request was lost."""
    import redis

    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        home = _write(base)
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
            command = [sys.executable, "-m", "alo.cli.main", "run", "--loop", "--quiet"]
            command += ["--redis", f"127.0.0.1:{port}", "--project", str(home)]
            loop = subprocess.Popen(command)
            try:
                return _count(client, loop.pid, count)
            finally:
                loop.terminate()
                loop.wait()
                redis_server.kill()


def _count(client: Any, loop: int, count: int) -> int:
    done, kills = threading.Event(), [0]
    killer = threading.Thread(target=_kill, args=(loop, done, kills))
    killer.start()
    found: dict[str, set[str]] = {}
    answered = dict.fromkeys(("inference_summary", "inference_artifacts"), 0)
    end = time.monotonic() + 60 + count * 0.1
    for name in answered:
        results = found.setdefault(name, set())
        while len(results) < count and time.monotonic() < end:
            item = client.blpop(name, 5)
            if item is None:
                continue
            answered[name] += 1
            content = json.loads(item[1])
            if content["status"] == "success":
                results.add(content["message"]["result"])
            else:  # its worker was killed twice: answered too
                results.add(f"failed {answered[name]}")
    done.set()
    killer.join()
    words = {f"n{number}" for number in range(count)}
    status = 0
    for name, results in found.items():
        failed = sum(word.startswith("failed") for word in results)
        missing = len(words - results) - failed
        reported = f"{answered[name]} answers to {count} requests, {failed} of them failed"
        sys.stdout.write(f"{name}: {reported}, {missing} missing; {kills[0]} kills\n")
        status |= missing > 0
    return status


def _kill(loop: int, done: threading.Event, kills: list[int]) -> None:
    while not done.wait(random.uniform(0.1, LONGEST_S)):  # noqa: S311 - any moment will do
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{name}/cmdline").read_text()
                parent = re.split(r"\) . ", Path(f"/proc/{name}/stat").read_text())[-1].split()[0]
                if "alo.workers.process" in words and int(parent) == loop:
                    os.kill(int(name), signal.SIGKILL)
                    kills[0] += 1
            except OSError:
                continue


def _request(base: Path, number: int) -> str:
    selected = [{"step": "inference", "args": {"word": f"n{number}"}}]
    pipeline = {
        "type": "inference",
        "dataset_uri": [f"{base}/data/"],
        "parameters": {"selected_user_parameters": selected},
    }
    return json.dumps({"solution_metadata": {"pipeline": [pipeline]}})


def _write(base: Path) -> Path:
    home = base / "solution"
    (home / "assets" / "inference").mkdir(parents=True)
    (home / "assets" / "inference" / "asset_inference.py").write_text(ASSET)
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(PLAN)
    (base / "data").mkdir()
    (base / "data" / "x.csv").write_text("a\n1\n")
    return home


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
