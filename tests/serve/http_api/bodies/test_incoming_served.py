"""Bodies of any size, packed or not, sent to a service: its limits hold and no client waits."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from ....support.waiting import PATIENCE_S, end_all, wait_until
from ..test_app import ROWS, STEPS, Service
from ..test_limits import refusals

Serve = Callable[..., Service]
JSON = {"content-type": "application/json"}
LARGE = 120_000  # rows: more than a body that is parsed in this process


@pytest.fixture
def serve(make_solution: Callable[..., Path]) -> Iterator[Serve]:
    home = make_solution(inference=STEPS, control={"backup_artifacts": False})
    running: list[Service] = []

    def start(*words: str) -> Service:
        running.append(Service(home, *words))
        return running[-1]

    yield start
    for one in running:
        one.client.close()
    end_all(*(one.process for one in running))


def test_large_bodies_become_what_small_ones_do(serve: Serve) -> None:
    service = serve()
    rows = {"rows": [{"a": n, "b": "x" * 20} for n in range(LARGE)]}

    answer = service.infer(rows)
    refused = service.infer({"rows": [*rows["rows"], [1]]})
    tensors = {"name": "a", "shape": [LARGE], "datatype": "INT64", "data": list(range(LARGE))}
    name = service.client.get("/openapi.json").json()["info"]["title"]
    reported = service.client.post(
        f"/v2/models/{name}/infer",
        json={"id": "mine", "inputs": [tensors, {**tensors, "name": "b"}]},
    )

    assert answer.status_code == 200
    assert "data.csv|a,b" in answer.json()["summary"]["note"]
    assert refused.status_code == 422
    assert reported.status_code == 200, reported.text
    assert reported.json()["id"] == "mine"


def test_gzip_is_taken_and_other_encodings_are_refused(serve: Serve) -> None:
    service = serve("--max-body", "1")
    packed = gzip.compress(json.dumps(ROWS).encode())
    bomb = gzip.compress(b" " * 5_000_000)

    def post(content: bytes, encoding: str) -> httpx.Response:
        headers = {**JSON, "content-encoding": encoding}
        return service.client.post("/v1/inference", content=content, headers=headers)

    assert post(packed, "gzip").status_code == 200
    assert post(packed[:-5], "gzip").status_code == 400
    assert post(b"no gzip", "gzip").status_code == 400
    assert post(bomb, "gzip").status_code == 413
    assert post(packed, "br").status_code == 415
    assert refusals(service)["413", "body"] == 1


def test_all_bodies_together_have_a_limit(serve: Serve) -> None:
    service = serve("--max-body", "1")
    is_refused = threading.Event()

    def slow() -> Iterator[bytes]:
        yield b'{"rows": [' + b" " * 900_000
        is_refused.wait(PATIENCE_S)
        yield b'{"a": 1}]}'

    def client() -> None:
        # Which of them is the one too many, the order says in which their bytes come.
        with suppress(httpx.TransportError), httpx.Client(timeout=PATIENCE_S) as client:
            client.post(f"{service.url}/v1/inference", content=slow(), headers=JSON)

    threads = [threading.Thread(target=client) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: refusals(service).get(("503", "bodies")))
    is_refused.set()
    for thread in threads:
        thread.join()

    whole = b'{"rows": [{"a": 1}]' + b" " * 900_000 + b"}"
    again = [service.client.post("/v1/inference", content=whole, headers=JSON) for _ in range(3)]
    assert [answer.status_code for answer in again] == [200, 200, 200]


def test_a_large_output_is_refused_and_counted(serve: Serve) -> None:
    service = serve("--max-output", "0.00001")

    answer = service.infer()

    assert answer.status_code == 500
    assert "--max-output" in answer.json()["error"]["message"]
    assert refusals(service)["500", "output"] == 1


def test_outputs_are_kept_up_to_their_limit(serve: Serve) -> None:
    service = serve("--keep-mb", "0.00002")  # one output has 14 bytes
    urls = [service.infer().json()["outputs"][0]["url"] for _ in range(3)]

    assert [service.client.get(url).status_code for url in urls] == [404, 404, 200]


def test_another_client_is_answered_while_large_bodies_are_parsed(serve: Serve) -> None:
    service = serve()
    body = json.dumps({"rows": [{"a": n, "b": "x" * 20} for n in range(400_000)]}).encode()
    is_done = threading.Event()
    waits: list[float] = []

    def ask() -> None:
        with httpx.Client(base_url=service.url) as client:
            while not is_done.is_set():
                began = time.monotonic()
                assert client.get("/healthz").status_code == 200
                waits.append(time.monotonic() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    began = time.monotonic()
    answer = service.client.post("/v1/inference", content=body, headers=JSON)
    whole = time.monotonic() - began
    is_done.set()
    asking.join()

    assert answer.status_code == 200
    assert (
        max(waits) < whole / 2
    )  # as long as one that waits for the other; how long, benchmarks say
