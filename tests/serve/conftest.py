"""A real Redis, a real loop in a process of its own, and a client of 2.x's kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from ..support.waiting import PATIENCE_S, end_all, wait_for_text, wait_until

OUTPUT = """
self.asset.save_summary(result=self.data.get("result", "fine"), score=0.5)
Path(self.asset.get_output_path(), "out.csv").write_text("a\\n1\\n")
"""


class RedisServer:
    """A Redis of its own, to be stopped, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always"]
        self.process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port, socket_timeout=PATIENCE_S)
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "redis-server has ended"
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self, *, forget: bool = False) -> None:
        """End it; with ``forget`` all that it knew is gone too."""
        self.process.kill()
        self.process.wait()
        self.client.close()
        if forget:
            shutil.rmtree(self.folder)
            self.folder.mkdir()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed here")
    (tmp_path / "redis").mkdir()
    server = RedisServer(tmp_path / "redis")
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.kill()


class Edge:
    """The edge application: sends requests, reads answers."""

    def __init__(self, server: RedisServer, data: Path) -> None:
        self._server, self.data = server, data

    @property
    def redis(self) -> Any:
        return self._server.client

    def metadata(self, **options: Any) -> dict[str, Any]:
        """Solution metadata for an inference; ``args={step: {...}}`` and keys of the pipeline."""
        args: Mapping[str, Any] = options.pop("args", {})
        selected = [{"step": step, "args": values} for step, values in args.items()]
        pipeline = {
            "type": "inference",
            "dataset_uri": [f"{self.data}/"],
            "artifact_uri": "",
            "model_uri": "",
            "parameters": {"selected_user_parameters": selected},
            **options,
        }
        return {"metadata_version": "1.2", "name": "x", "pipeline": [pipeline]}

    def send(self, content: object = None, **options: Any) -> None:
        """Send a request; raw bytes as they are."""
        if content is None:
            content = {"solution_metadata": self.metadata(**options)}
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.redis.rpush("request_inference", raw)

    def answers(self, timeout: float = PATIENCE_S) -> tuple[dict[str, Any], dict[str, Any]]:
        """The next answer on both lists."""
        found = [
            self.redis.blpop(name, timeout) for name in ("inference_summary", "inference_artifacts")
        ]
        assert all(found), f"no answer: {found}"
        return json.loads(found[0][1]), json.loads(found[1][1])

    def ask(self, content: object = None, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        self.send(content, **options)
        return self.answers()

    def wait_until_taken(self) -> None:
        """Until a loop has a request in hand."""
        wait_until(lambda: any(self.redis.scan_iter("request_inference:processing:*")))

    def left(self) -> dict[str, int]:
        """How much is on each list that is not empty."""
        keys = [key.decode() for key in self.redis.keys("*")]
        lists = [key for key in keys if self.redis.type(key) == b"list"]
        return {key: self.redis.llen(key) for key in sorted(lists)}


@pytest.fixture
def edge(redis_server: RedisServer, tmp_path: Path) -> Edge:
    data = tmp_path / "data" / "one"
    data.mkdir(parents=True)
    (data / "x.csv").write_text("a\n1\n")
    return Edge(redis_server, data)


@pytest.fixture
def container() -> Sequence[str]:
    """What a command line begins with that is to run as process 1 of a container of its own."""
    words = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if not shutil.which("unshare") or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("no PID namespace can be made here")
    return words


class RunningLoop:
    """``alo run --loop`` in a process of its own."""

    def __init__(self, home: Path, url: str, *words: str, before: Sequence[str] = ()) -> None:
        self.log = home.parent / f"loop-{os.urandom(3).hex()}.log"
        alo = [*before, sys.executable, "-m", "alo.cli.main"]
        command = [*alo, "run", "--loop", "--redis", url, *words]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log)

    def wait_until(self, text: str) -> None:
        wait_for_text(re.escape(text), self.log, self.process)

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    words = Path(f"/proc/{name}/cmdline").read_bytes()
                    stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if b"alo.workers.process" in words and int(stat[1]) == self.process.pid:
                    found.append(int(name))
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def loop(redis_server: RedisServer) -> Iterator[Callable[..., RunningLoop]]:
    """``loop(home, "--workers", "2")``: started, warm, and ended after the test.

    The words of ``before`` come before its command line.
    """
    running = []

    def start(
        home: Path, *words: str, is_ready: bool = True, before: Sequence[str] = ()
    ) -> RunningLoop:
        one = RunningLoop(home, redis_server.url, *words, before=before)
        running.append(one)
        if is_ready:
            one.wait_until("serving requests")
        return one

    yield start
    end_all(*(one.process for one in running))
