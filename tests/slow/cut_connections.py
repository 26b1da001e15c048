"""Two servers and two loops behind connections to Redis that are cut, and all of them killed.

    python tests/slow/cut_connections.py [--requests 2000] [--cuts 300] [--seed 1]

Redis is restarted with what it knew and without; servers and loops are killed. Half of the
requests wait for their answer, half ask for it later. Every one that was accepted (200, 202) has
to be answered with its own word.
"""

from __future__ import annotations

import argparse
import queue
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from serving_parts import (
    Process,
    Proxy,
    RedisProcess,
    Server,
    rows_request,
    wait_until,
    write_solution,
)

CLIENTS = 8
GIVE_UP_S = 240.0  # for an answer that was promised
RESTARTS = 5  # of Redis, of each kind; as often each server and loop is killed


class Traffic:
    """Requests that are to be answered, and what became of them."""

    def __init__(self, servers: list[Server], count: int) -> None:
        self._servers = servers
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(count):
            self._todo.put(number)
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.lost: list[str] = []
        self.done = 0
        self._lock = threading.Lock()

    def run(self) -> None:
        """Until nothing is left to do."""
        while True:
            try:
                number = self._todo.get_nowait()
            except queue.Empty:
                return
            self._see_to(number)
            self.done += 1

    def _see_to(self, number: int) -> None:
        """Ask until a server has accepted it; then its answer has to come."""
        word, later = f"n{number}", "?async=1" if number % 2 else ""
        for attempt in range(1000):
            server = self._servers[(number + attempt) % len(self._servers)]
            reply = server.ask("POST", f"/v1/inference{later}", rows_request(word))
            self._count(str(reply.status))
            if reply.status == 200:
                return self._check(word, reply.json)
            if reply.status == 202:
                return self._fetch(word, server, reply.json["id"])
            time.sleep(0.1)
        self.lost.append(f"{word} was never accepted")

    def _fetch(self, word: str, server: Server, request_id: str) -> None:
        end = time.monotonic() + GIVE_UP_S
        while time.monotonic() < end:
            reply = server.ask("GET", f"/v1/requests/{request_id}")
            if reply.status == 404:
                self.lost.append(f"{word} ({request_id}): 404")
                return
            if reply.status and reply.json["status"] in ("success", "fail"):
                self._check(word, reply.json)
                return
            time.sleep(0.2)
        self.lost.append(f"{word} ({request_id}): no answer")

    def _check(self, word: str, answer: dict[str, object]) -> None:
        summary = answer.get("summary")
        if answer["status"] == "success" and isinstance(summary, dict):
            self._count("answered")
            if summary["result"] != word:
                self.wrong.append(f"{word}: {summary['result']}")
        else:  # killed twice: answered, too
            self._count("answered fail")

    def _count(self, what: str) -> None:
        with self._lock:
            self.statuses[what] += 1


def main(requests: int, cuts: int, seed: int) -> int:
    """Exit status: 1 where a request was lost, or got another's answer."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        home = write_solution(base)
        redis = RedisProcess(base / "redis")
        proxy = Proxy(redis.port)
        url = f"redis://127.0.0.1:{proxy.port}/0"
        servers = [
            Server(base / f"server-{n}.log", home, "--queue", url, "--request-timeout", "60")
            for n in range(2)
        ]
        words = ("run", "--loop", "--redis", url, "--project", str(home))
        loops = [Process(base / f"loop-{n}.log", *words) for n in range(2)]
        try:
            for server in servers:
                server.wait_until_it_serves()
            traffic = Traffic(servers, requests)
            _drive(traffic, Chaos(redis, proxy, [*servers, *loops], seed, cuts), requests)
            return _report(traffic, proxy, redis, [*servers, *loops])
        finally:
            for each in (*servers, *loops):
                each.process.kill()
                each.process.wait()
            proxy.close()
            redis.kill()


class Chaos:
    """Faults in an order that a seed gives, spread over the requests."""

    def __init__(
        self, redis: RedisProcess, proxy: Proxy, parts: list[Process], seed: int, cuts: int
    ) -> None:
        self._redis, self._proxy, self._parts = redis, proxy, parts
        faults = ["cut"] * cuts + ["keeps", "forgets"] * RESTARTS
        faults += [f"kill {number}" for number in range(len(parts))] * RESTARTS
        random.Random(seed).shuffle(faults)  # noqa: S311 - to be repeated
        self._faults, self._total = faults, len(faults)

    def up_to(self, share: float) -> None:
        """Do as many as belong to this share of the requests."""
        while self._faults and self._total - len(self._faults) < share * self._total:
            fault = self._faults.pop()
            if fault == "cut":
                self._proxy.cut(1)
            elif fault.startswith("kill"):
                self._parts[int(fault.split()[1])].kill_and_start()
            else:
                self._redis.restart(forgets=fault == "forgets")
            time.sleep(0.05)


def _drive(traffic: Traffic, chaos: Chaos, requests: int) -> None:
    clients = [threading.Thread(target=traffic.run, daemon=True) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        chaos.up_to(traffic.done / requests)
        time.sleep(0.05)


def _report(traffic: Traffic, proxy: Proxy, redis: RedisProcess, parts: list[Process]) -> int:
    lines = [f"{what}: {count}" for what, count in sorted(traffic.statuses.items())]
    sys.stdout.write("\n".join([f"{proxy.cuts} connections cut", *lines, ""]))
    for what, found in (("lost", traffic.lost), ("another's answer", traffic.wrong)):
        sys.stdout.write(f"{what}: {len(found)} {found[:10]}\n")
    with suppress(TimeoutError):  # requests that were sent twice are still being answered
        wait_until(lambda: not endless_keys(redis), 60, "nothing stays in Redis")
    endless = endless_keys(redis)
    sys.stdout.write(f"keys: {redis.names()}\nof them without an end: {endless}\n")
    faults = [line for part in parts for line in part.log.read_text().splitlines()]
    faults = [line for line in faults if "after a fault" in line or "Traceback" in line]
    sys.stdout.write(f"faults in the logs: {len(faults)} {faults[:5]}\n")
    return int(bool(traffic.lost or traffic.wrong or endless or faults))


def endless_keys(redis: RedisProcess) -> list[str]:
    """What stays in Redis for ever; of requests that were given up the last ones may."""
    keys = [key for key in redis.names() if redis.client.ttl(key) == -1]
    return [key for key in keys if key != "request_inference:dead"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--cuts", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(main(options.requests, options.cuts, options.seed))
