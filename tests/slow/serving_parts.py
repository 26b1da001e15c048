"""What long tests of serving are made of: a solution, Redis behind a proxy, services, a client."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ASSET = """\
import os
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        word = str(self.asset.load_args()["word"])
        if word.startswith("raise"):
            raise ValueError(word)
        if word.startswith("die"):
            os.kill(os.getpid(), 9)
        table = next(Path(self.asset.get_input_path()).rglob("*.csv")).read_text()
        Path(self.asset.get_output_path(), "out.csv").write_text("word\\n" + word + "\\n")
        self.asset.save_summary(word, 0.5, note=table[:40])
        self.asset.save_data({})
        self.asset.save_config(self.config)
"""
TRAIN = """\
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        Path(self.asset.get_model_path(), "model").write_text("a model")
        self.asset.save_data({})
        self.asset.save_config(self.config)
"""
PLAN = """\
name: faults
user_parameters:
  - train_pipeline:
    - step: train
      args: {}
  - inference_pipeline:
    - step: inference
      args:
        - word: none
control:
  - backup_artifacts: False
"""
ANSWER_S = 120.0  # for a request, on a machine that is busy
SERVING_AT = re.compile(r"serving at (\S+),")


class Reply(NamedTuple):
    """What came of an HTTP request; status 0: nothing did."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def write_solution(base: Path) -> Path:
    """A project with a model, and data next to it."""
    home = base / "solution"
    for step, text in (("inference", ASSET), ("train", TRAIN)):
        (home / "assets" / step).mkdir(parents=True)
        (home / "assets" / step / f"asset_{step}.py").write_text(text)
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(PLAN)
    (base / "data").mkdir()
    (base / "data" / "x.csv").write_text("a\n1\n")
    (home / "input" / "train").mkdir(parents=True)
    (home / "input" / "train" / "x.csv").write_text("a\n1\n")
    alo("run", "--mode", "train", "--quiet", "--project", str(home))
    return home


def alo(*words: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-m", "alo.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def edge_request(base: Path, word: str) -> bytes:
    """The message of an edge application."""
    selected = [{"step": "inference", "args": {"word": word}}]
    pipeline = {
        "type": "inference",
        "dataset_uri": [f"{base}/data/"],
        "parameters": {"selected_user_parameters": selected},
    }
    return json.dumps({"solution_metadata": {"pipeline": [pipeline]}}).encode()


def rows_request(word: str) -> bytes:
    """The body of an inference over HTTP."""
    return json.dumps({"rows": [{"a": 1}], "args": {"inference": {"word": word}}}).encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)


class RedisProcess:
    """A Redis that writes down what it is told, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self.start()

    def start(self) -> None:
        import redis

        self._folder.mkdir(exist_ok=True)
        command = [shutil.which("redis-server") or "redis-server", "--port", str(self.port)]
        command += ["--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "always"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port, socket_timeout=30)

        def answers() -> bool:
            with suppress(redis.RedisError):
                return bool(self.client.ping())
            return False

        wait_until(answers, 30, "Redis answers")

    def restart(self, *, forgets: bool) -> None:
        self.kill()
        if forgets:
            shutil.rmtree(self._folder)
        self.start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def names(self) -> list[str]:
        return sorted(key.decode() for key in self.client.scan_iter("*"))


class Proxy:
    """Between clients and a port; its connections can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, count: int | None = None) -> None:
        """Break connections, in the middle of whatever is on its way."""
        with self._lock:
            chosen = list(self._pairs)[:count]
        for pair in chosen:
            self.cuts += 1
            for each in pair:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listening.accept()
            except OSError:
                return
            try:
                outer = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                inner.close()
                continue
            threading.Thread(target=self._carry, args=((inner, outer),), daemon=True).start()

    def _carry(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.add(pair)
        other = {pair[0]: pair[1], pair[1]: pair[0]}
        with suppress(OSError):
            while True:
                for ready in select.select(pair, [], [])[0]:
                    piece = ready.recv(1 << 16)
                    if not piece:
                        raise ConnectionError
                    other[ready].sendall(piece)
        with self._lock:
            self._pairs.discard(pair)
        for each in pair:
            each.close()


class Process:
    """An ``alo`` command that serves; what it says is kept."""

    def __init__(self, log: Path, *words: str) -> None:
        self._words, self.log, self._at = words, log, 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "alo.cli.main", *self._words]
        self._at = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        """Since it was started the last time."""
        return self.log.read_bytes()[self._at :].decode(errors="replace")

    def kill_and_start(self) -> None:
        self.process.kill()
        self.process.wait()
        self.start()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


class Server(Process):
    """``alo serve`` on a port that stays the same."""

    def __init__(self, log: Path, home: Path, *words: str) -> None:
        self.port = free_port()
        super().__init__(log, "serve", "--port", str(self.port), "--project", str(home), *words)

    def wait_until_it_serves(self) -> None:
        wait_until(lambda: SERVING_AT.search(self.said), 120, self.log.name)

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.ask("GET", "/readyz").status == 200, 120, self.log.name)

    def ask(self, method: str, path: str, body: bytes = b"", **heads: str) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S)
        try:
            heads.setdefault("content_type", "application/json")
            named = {name.replace("_", "-"): value for name, value in heads.items()}
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        except (OSError, http.client.HTTPException):
            return Reply(0, b"")
        finally:
            connection.close()


class Usage(NamedTuple):
    """What processes have of a machine."""

    memory_mb: float
    descriptors: int
    threads: int


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for thread in _listed(f"/proc/{pid}/task"):
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from family(int(child))


def usage_of(pid: int) -> Usage:
    """Of a process and all that it has started."""
    memory = descriptors = threads = 0
    for each in family(pid):
        with suppress(OSError, IndexError):
            memory += int(Path(f"/proc/{each}/statm").read_text().split()[1])
            descriptors += len(_listed(f"/proc/{each}/fd"))
            threads += len(_listed(f"/proc/{each}/task"))
    return Usage(memory * os.sysconf("SC_PAGESIZE") / 1e6, descriptors, threads)


def workers_of(pid: int) -> list[int]:
    """Those of a service that run assets."""
    found = []
    for each in family(pid):
        with suppress(OSError):
            if "alo.workers.process" in Path(f"/proc/{each}/cmdline").read_text():
                found.append(each)
    return found


def bytes_below(folder: Path) -> int:
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(base, name)).st_size
    return total


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
