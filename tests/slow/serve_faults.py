"""Serve at a steady rate for long while faults of all kinds come in, and count and measure.

    python tests/slow/serve_faults.py [--minutes 60] [--rate 20] [--seed 1]

One service with workers of its own, one in front of Redis, a loop, and an edge application. Every
request has its own word. Of each that is accepted there has to be one outcome; memory,
descriptors, threads, keys in Redis and the disk have to stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from serving_parts import (
    Process,
    Proxy,
    RedisProcess,
    Server,
    Usage,
    alo,
    bytes_below,
    edge_request,
    rows_request,
    usage_of,
    wait_until,
    workers_of,
    write_solution,
)

LOOK_S = 5.0
ENDINGS = {"raise": 500, "die": 500, "word": 200}  # of a request, by how its word begins
BAD_BODIES = {
    b'{"rows": [{"a": ' + b"[" * 500 + b"]" * 500 + b"}]}": (400, 422),
    b'{"rows": "x"}': (400, 422),
    b'{"rows": [{"a": 1e999}]}': (400,),
    b'{"rows": [{"a": "\\ud800"}]}': (400,),
    b"\xff\xfe\x00": (400,),
    b'{"rows": [{"a": 1}], "args": {"nothing": {"word": "x"}}}': (422,),
    b'{"rows": [' + b"{" + b",".join(b'"c%d": 1' % n for n in range(10_001)) + b"}]}": (413,),
}
BAD_HEADS = [
    (b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
    (b"POST /v1/inference HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nx: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 150 + b"\r\n", 431),
]
BAD_MESSAGES = [
    b'{"solution_metadata": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}",
    b"no json",
    b'{"solution_metadata": {"pipeline": [{"type": "inference", "dataset_uri": ["\\ud800"]}]}}',
    b'{"solution_metadata": {"pipeline": [{"type": "inference", "dataset_uri": ["a\\u0000b"]}]}}',
    b'{"alo_request": {"id": "../x"}}',
]


class Book:
    """What was asked and what came of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def note_wrong(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)


class Faults:
    """The parts, and all that is done to them."""

    def __init__(self, base: Path, seed: int) -> None:
        self.base, self.home = base, write_solution(base)
        self.random = random.Random(seed)  # noqa: S311 - to be repeated
        self.redis = RedisProcess(base / "redis")
        self.proxy = Proxy(self.redis.port)
        url = f"redis://127.0.0.1:{self.proxy.port}/0"
        few = ("--head-timeout", "2", "--body-timeout", "2", "--request-timeout", "30")
        self.service = Server(base / "service.log", self.home, "--workers", "2", *few)
        self.front = Server(base / "front.log", self.home, "--queue", url, *few)
        words = ("run", "--loop", "--redis", url, "--project", str(self.home))
        self.loop = Process(base / "loop.log", *words)
        self.book, self.edge_sent, self.edge_got = Book(), 0, Counter[str]()
        self.parts: dict[str, Process] = {
            "service": self.service,
            "front": self.front,
            "loop": self.loop,
        }
        for server in (self.service, self.front):
            server.wait_until_it_serves()
            server.wait_until_ready()

    def one(self, number: int) -> None:
        """One request, of whichever kind."""
        kinds: list[tuple[Callable[[int], None], int]] = [
            (self.good, 70),
            (self.bad_body, 10),
            (self.bad_head, 5),
            (self.half_a_request, 3),
            (self.edge, 12),
        ]
        kind = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        kind(number)

    def good(self, number: int) -> None:
        how = self.random.choices(("word", "raise", "die"), (94, 5, 1))[0]
        server = self.service if number % 3 else self.front
        word = f"{how}{number}"
        self.book.count("asked")
        reply = server.ask("POST", "/v1/inference", rows_request(word))
        self.book.count(f"answered {reply.status}")
        if reply.status != ENDINGS[how] or not reply.json:
            # A worker that was killed twice while it had the request is a failure, too.
            if not (reply.status == 500 and b"SIGKILL" in reply.body):
                self.book.note_wrong(f"{word}: {reply.status} {reply.body[:200]!r}")
        elif how == "word" and reply.json["summary"]["result"] != word:
            self.book.note_wrong(f"{word}: {reply.json['summary']}")

    def bad_body(self, number: int) -> None:
        body, allowed = self.random.choice(list(BAD_BODIES.items()))
        reply = self.service.ask("POST", "/v1/inference", body)
        self.book.count(f"refused {reply.status}")
        if reply.status not in allowed:
            self.book.note_wrong(f"{body[:60]!r}: {reply.status} {reply.body[:200]!r}")

    def bad_head(self, number: int) -> None:
        head, status = self.random.choice(BAD_HEADS)
        found = b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.service.port)) as one:
            one.settimeout(60)
            one.sendall(head)
            found = one.recv(1000)
        self.book.count(f"refused {status}")
        if found and not found.startswith(b"HTTP/1.1 %d" % status):
            self.book.note_wrong(f"{head[:60]!r}: {found[:100]!r}")

    def half_a_request(self, number: int) -> None:
        """A client that hangs up, or says nothing more."""
        head = b"POST /v1/inference HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.service.port)) as one:
            one.sendall(head[: self.random.randrange(len(head))] if number % 2 else head + b"\r\n{")
            if self.random.random() < 0.3:
                one.settimeout(10)
                one.recv(1000)
        self.book.count("half")

    def edge(self, number: int) -> None:
        message = edge_request(self.base, f"word{number}")
        if self.random.random() < 0.3:
            message = self.random.choice(BAD_MESSAGES)
        with suppress(Exception):
            self.redis.client.rpush("request_inference", message)
            self.edge_sent += 1

    def fetch(self, done: threading.Event) -> None:
        """As an edge application does."""
        while not done.is_set():
            with suppress(Exception):
                found = self.redis.client.blpop(["inference_summary", "inference_artifacts"], 1)
                if found:
                    self.edge_got[found[0].decode()] += 1
                    json.loads(found[1])

    def strike(self) -> None:
        """One fault from outside."""
        what = self.random.choice(("worker", "worker", "loop's worker", "cut", "redis", "deploy"))
        self.book.count(f"fault: {what}")
        if what in ("worker", "loop's worker"):
            part = self.service if what == "worker" else self.loop
            for pid in workers_of(part.process.pid)[:1]:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        elif what == "cut":
            self.proxy.cut()
        elif what == "redis":
            self.redis.restart(forgets=False)
        else:
            self.deploy()

    def deploy(self) -> None:
        alo("run", "--mode", "train", "--quiet", "--project", str(self.home))
        alo("deploy", "--project", str(self.home))

    def look(self) -> dict[str, Usage]:
        return {name: usage_of(part.process.pid) for name, part in self.parts.items()}

    def end(self) -> None:
        for part in self.parts.values():
            part.process.kill()
            part.process.wait()
        self.proxy.close()
        self.redis.kill()


class Watch:
    """Measures of memory and the like, over time."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.rows: list[dict[str, float]] = []

    def look(self) -> None:
        row: dict[str, float] = {}
        for name, usage in self._faults.look().items():
            for what, value in usage._asdict().items():
                row[f"{name} {what}"] = value
        with suppress(Exception):
            row["redis keys"] = len(self._faults.redis.names())
        row["disk, MB"] = bytes_below(self._faults.home) / 1e6
        self.rows.append(row)

    def grown(self) -> list[str]:
        """What is more in the last quarter than in the second."""
        quarter, found = len(self.rows) // 4, []
        for what in self.rows[0]:
            middle = _median(self.rows[quarter : 2 * quarter], what)
            last = _median(self.rows[-quarter:], what)
            sys.stdout.write(f"{what}: {middle:.1f} -> {last:.1f}\n")
            if last > 1.1 * middle + 5:
                found.append(what)
        return found


def _median(rows: list[dict[str, float]], what: str) -> float:
    return statistics.median([row[what] for row in rows if what in row] or [0.0])


def main(minutes: float, rate: float, seed: int) -> int:
    """Exit status: 1 where an answer is missing or wrong, or something grows."""
    with tempfile.TemporaryDirectory() as name:
        faults = Faults(Path(name), seed)
        try:
            return _drive(faults, minutes, rate)
        finally:
            faults.end()


def _drive(faults: Faults, minutes: float, rate: float) -> int:
    done, watch = threading.Event(), Watch(faults)
    fetching = threading.Thread(target=faults.fetch, args=(done,), daemon=True)
    fetching.start()
    began, number, looked, struck = time.monotonic(), 0, 0.0, 10.0
    with ThreadPoolExecutor(64) as clients:
        while (now := time.monotonic() - began) < minutes * 60:
            if number < now * rate:
                clients.submit(_noted(faults), number)
                number += 1
                continue
            if now > looked + LOOK_S:
                looked = now
                watch.look()
            if now > struck + 10:
                struck = now
                clients.submit(faults.strike)
            time.sleep(0.01)
    wanted = {name: faults.edge_sent for name in ("inference_summary", "inference_artifacts")}
    with suppress(TimeoutError):
        wait_until(lambda: all(faults.edge_got[k] >= n for k, n in wanted.items()), 120, "answers")
    done.set()
    fetching.join()
    return _report(faults, watch, number)


def _noted(faults: Faults) -> Callable[[int], None]:
    def one(number: int) -> None:
        try:
            faults.one(number)
        except Exception as error:
            faults.book.note_wrong(f"{number}: {error!r}")

    return one


def _report(faults: Faults, watch: Watch, number: int) -> int:
    book = faults.book
    sys.stdout.write(f"{number} requests\n")
    for what, count in sorted(book.counts.items()):
        sys.stdout.write(f"  {what}: {count}\n")
    sys.stdout.write(f"edge: {faults.edge_sent} sent, answers {dict(faults.edge_got)}\n")
    sys.stdout.write(f"wrong: {len(book.wrong)} {book.wrong[:10]}\n")
    missing = min(faults.edge_got.values(), default=0) < faults.edge_sent
    grown = watch.grown()
    logs = [line for part in faults.parts.values() for line in part.log.read_text().splitlines()]
    odd = [line for line in logs if "fault" in line or "Traceback" in line]
    sys.stdout.write(f"grown: {grown}\nodd lines in the logs: {len(odd)} {odd[:5]}\n")
    return int(bool(book.wrong or missing or grown or odd))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(main(options.minutes, options.rate, options.seed))
