"""Send what no client should: heads, bodies, messages and deployment files, damaged at random.

    python tests/slow/fuzz_serving.py [--minutes 10] [--seed 1]

Nothing but documented answers may come, and after each of them the service and the loop go on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from serving_parts import (
    Process,
    RedisProcess,
    Server,
    alo,
    edge_request,
    rows_request,
    wait_until,
    write_solution,
)

STATUSES = {200, 202, 400, 401, 403, 404, 405, 408, 413, 415, 421, 422, 429, 431, 503, 504, 507}
CODES = {"E111", "E112", "E121", "E122", "E141", "E151", "E152", "E161", "E162"}
EXITS = {0, 1, 2, 3}
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")
FAULT = re.compile("fault in ALO|after a fault|Traceback")
HEAD = b"""POST /v1/inference HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"""
ASKED = ["/v1/requests/0123456789abcdef", "/metrics", "/v1/requests/%2e%2e/outputs/%2fetc", "/v2"]
ASKED += ["/docs", "/openapi.json", "/v2/models/faults", "/v2/models/faults/versions/%ff/ready"]
TYPES_OF_TENSORS = ["application/json", "application/octet-stream"]
TYPES = ["application/json", "text/csv", "multipart/form-data; boundary=x", "application/x", ""]
TYPES += ["text/csv; charset=cp949", "text/csv; charset=nothing", "multipart/form-data"]
TENSORS = {
    "id": "1",
    "inputs": [
        {"name": "a", "shape": [2], "datatype": "FP32", "data": [1, 2]},
        {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": ["x", "y"]},
        {"name": "c", "shape": [2], "datatype": "INT8", "parameters": {"binary_data_size": 2}},
    ],
    "outputs": [{"name": "word", "parameters": {"binary_data": True}}],
}
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\na\n1\n\r\n'
    b'--x\r\nContent-Disposition: form-data; name="args"\r\n\r\n{"inference": {"word": "w"}}\r\n'
    b"--x--\r\n"
)
DEPLOYMENT = {
    "format": 2,
    "chosen": {"run": "", "who": "x", "when": "2026-01-01T00:00:00Z"},
    "before": "current",
    "checks": {"a": {"verdict": "failed", "reason": "x", "when": "2026-01-01T00:00:00Z"}},
    "services": {"s": {"run": "a", "since": "2026-01-01T00:00:00Z"}},
    "shadow": "",
}
ODD = [None, True, -1, 0, 1.5, 10**400, 1e308, "", "\ud800", "a\0b", "x" * 5000, [], {}, [[]]]
ODD += [float("nan"), "../../x", {"a": {"b": []}}, "9" * 400, {"": ""}]


class Fuzzer:
    """Damages things by a seed, and looks at what comes of it."""

    def __init__(self, base: Path, seed: int) -> None:
        self.base, self.home = base, write_solution(base)
        self.random = random.Random(seed)  # noqa: S311 - to be repeated
        self.redis = RedisProcess(base / "redis")
        words = ("--head-timeout", "2", "--body-timeout", "2", "--request-timeout", "30")
        self.server = Server(base / "service.log", self.home, *words)
        url = f"127.0.0.1:{self.redis.port}"
        self.loop = Process(
            base / "loop.log", "run", "--loop", "--redis", url, "--project", str(self.home)
        )
        self.failures = self.redis.client.pubsub()
        self.failures.subscribe("alo_fail")
        self.found: Counter[str] = Counter()
        self.odd: list[str] = []
        self.server.wait_until_it_serves()
        tensors = "/v2/models/faults/infer"
        self._kinds = [
            (self._rows, ["application/json"], "/v1/inference"),
            (self._tensors, TYPES_OF_TENSORS, tensors),
            (self._tensors, TYPES_OF_TENSORS, tensors.replace("infer", "versions/1/infer")),
            (self._form, ["multipart/form-data; boundary=x"], "/v1/inference"),
            (self._csv, ["text/csv", "text/csv; charset=cp949"], "/v1/inference"),
        ]

    def damaged(self, raw: bytes) -> bytes:
        """Bytes with some taken away, changed, doubled or put in."""
        found = bytearray(raw)
        for _ in range(self.random.randint(1, 6)):
            at = self.random.randrange(len(found) + 1)
            end = min(len(found), at + self.random.choice((1, 1, 2, 8, 40)))
            choice = self.random.randrange(4)
            if choice == 0:
                del found[at:end]
            elif choice == 1:
                found[at:end] = self.random.randbytes(end - at)
            elif choice == 2:
                found[at:at] = found[at:end] * self.random.choice((1, 3, 50))
            else:
                found[at:at] = self.random.choice((b"\0", b"\r\n", b"[" * 200, b"\xff", b'"', b"{"))
        return bytes(found)

    def replaced(self, content: Any, share: float = 0.15) -> Any:
        """JSON with some of its values replaced, and some of its keys gone."""
        if self.random.random() < share:
            return self.random.choice(ODD)
        if isinstance(content, dict):
            pairs = [pair for pair in content.items() if self.random.random() > share / 3]
            return {key: self.replaced(value, share) for key, value in pairs}
        if isinstance(content, list):
            return [self.replaced(each, share) for each in content] * self.random.choice((1, 1, 2))
        return content

    def json(self, content: Any) -> bytes:
        raw = json.dumps(self.replaced(content)).encode()
        return self.damaged(raw) if self.random.random() < 0.3 else raw

    def head(self) -> None:
        """A request whose head, too, is damaged."""
        body = self.json(json.loads(rows_request("word")))
        head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
        self._send(self.damaged(head) + body)

    def body(self) -> None:
        """A request that is well-formed as HTTP."""
        make, types, path = self.random.choice(self._kinds)
        heads = {"content_type": self.random.choice(types)}
        if self.random.random() < 0.1:
            heads["content_type"] = self.random.choice(TYPES)
        body = make()
        if self.random.random() < 0.2:
            heads["content_encoding"] = self.random.choice(("gzip", "deflate", "br", "identity"))
            body = gzip.compress(body) if self.random.random() < 0.7 else body
            body = self.damaged(body) if self.random.random() < 0.3 else body
        if self.random.random() < 0.3:
            odd = ("0", "-1", "10", "x", "9" * 30, str(len(body)))
            heads["Inference_Header_Content_Length"] = self.random.choice(odd)
        query = self.random.choice(("", "", "?async=1", "?args={", "?args=%00", "?async=maybe"))
        verb = "POST"
        if self.random.random() < 0.1:
            verb, path, body = "GET", self.random.choice(ASKED), b""
        reply = self.server.ask(verb, path + query, body, **heads)
        self.found[f"body {reply.status}"] += 1
        if reply.status not in STATUSES and not self._is_of_asset(reply.status, reply.body):
            self.odd.append(f"{verb} {path}{query} {heads} {body!r}: {reply}"[:3000])

    def _is_of_asset(self, status: int, body: bytes) -> bool:
        return status == 500 and b"asset_inference.py" in body

    def _rows(self) -> bytes:
        return self.json(json.loads(rows_request("word")))

    def _tensors(self) -> bytes:
        return self.json(TENSORS) + self.random.choice((b"", b"\1\2", b"\1"))

    def _form(self) -> bytes:
        return self.damaged(FORM)

    def _csv(self) -> bytes:
        return self.damaged(b"a,b\n1,x\n2,\xea\xb0\x80\n")

    def _send(self, raw: bytes) -> None:
        """What may be no HTTP at all; either an answer comes, or the connection is closed."""
        found = b""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.server.port)) as one:
            one.settimeout(60)
            one.sendall(raw)
            one.shutdown(socket.SHUT_WR)
            while piece := one.recv(1 << 16):
                found += piece
        statuses = [int(each) for each in STATUS_LINE.findall(found)]
        self.found[f"head {statuses[:1]}"] += 1
        for status in statuses:
            if status not in STATUSES and not self._is_of_asset(status, found):
                self.odd.append(f"{raw!r}: {found!r}"[:3000])

    def message(self) -> None:
        """A request to the loop: one answer on both lists, and a code of the table."""
        content = json.loads(edge_request(self.base, "word"))
        if self.random.random() < 0.2:
            content = {"alo_request": {"id": "a", "door": "b", "args": {}, "files": []}}
        message = self.json(content)
        client = self.redis.client
        client.rpush("request_inference", message)
        with suppress(TimeoutError):
            wait_until(lambda: self._is_answered(), 60, "an answer")
            self._take_answers(message)
            return
        self.odd.append(f"no answer to {message!r}; {self.redis.names()}"[:3000])

    def _is_answered(self) -> bool:
        client = self.redis.client
        at_edge = client.llen("inference_summary") and client.llen("inference_artifacts")
        is_taken = not client.exists("request_inference")
        at_work = list(client.scan_iter("request_inference:processing:*"))
        return bool((at_edge or client.keys("alo_answers:*")) and is_taken and not at_work)

    def _take_answers(self, message: bytes) -> None:
        client = self.redis.client
        counts = [client.llen(name) for name in ("inference_summary", "inference_artifacts")]
        remote = client.keys("alo_answers:*")
        if counts != ([0, 0] if remote else [1, 1]):
            self.odd.append(f"{counts} answers to {message!r}"[:3000])
        if remote or client.exists("inference_summary"):
            client.delete("inference_summary", "inference_artifacts", *remote)
        while reported := self.failures.get_message(timeout=0.01):
            if reported["type"] == "message":
                code = json.loads(reported["data"])["ERROR_CODE"]
                self.found[f"message {code}"] += 1
                if code not in CODES or b"fault in ALO" in reported["data"]:
                    self.odd.append(f"{message!r}: {reported}"[:3000])

    def deployment(self) -> None:
        """The file that services follow, as no one should write it."""
        path = self.home / "solution" / "deployment.json"
        path.write_bytes(self.json(DEPLOYMENT))
        command = self.random.choice((["--status"], ["--status", "--json"], ["--rollback"]))
        done = alo("deploy", *command, "--project", str(self.home))
        self.found[f"deploy {done.returncode}"] += 1
        if done.returncode not in EXITS or "Traceback" in done.stderr + done.stdout:
            self.odd.append(f"{path.read_bytes()!r}: {done}"[:3000])
        path.unlink(missing_ok=True)

    def see_that_all_goes_on(self) -> None:
        reply = self.server.ask("POST", "/v1/inference", rows_request("good"))
        if reply.status != 200 or reply.json["summary"]["result"] != "good":
            self.odd.append(f"a good request: {reply}"[:3000])
        for part in (self.server, self.loop):
            if part.process.poll() is not None:
                raise RuntimeError(f"{part.log.name} has ended: {part.said[-2000:]}")
            for line in part.said.splitlines():
                if FAULT.search(line):
                    self.odd.append(line[:3000])

    def end(self) -> None:
        for part in (self.server, self.loop):
            part.process.kill()
            part.process.wait()
        self.redis.kill()


def main(minutes: float, seed: int) -> int:
    """Exit status: 1 where anything else came than what is documented."""
    with tempfile.TemporaryDirectory() as name:
        fuzzer = Fuzzer(Path(name), seed)
        kinds: list[Callable[[], None]] = [fuzzer.head, fuzzer.body, fuzzer.message]
        end, rounds = time.monotonic() + minutes * 60, 0
        try:
            while time.monotonic() < end and len(fuzzer.odd) < 20:
                fuzzer.random.choice(kinds)()
                rounds += 1
                if rounds % 40 == 0:
                    fuzzer.deployment()
                if rounds % 100 == 0:
                    fuzzer.see_that_all_goes_on()
            fuzzer.see_that_all_goes_on()
        finally:
            fuzzer.end()
    sys.stdout.write(f"{rounds} rounds, seed {seed}\n")
    for what, count in sorted(fuzzer.found.items()):
        sys.stdout.write(f"  {what}: {count}\n")
    odd = list(dict.fromkeys(fuzzer.odd))
    sys.stdout.write(f"not documented: {len(odd)}\n" + "\n".join(odd) + "\n")
    return int(bool(odd))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.exit(main(options.minutes, options.seed))
