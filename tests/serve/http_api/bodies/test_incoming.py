"""Bodies of any size become the same table, within limits, and hold no other client up."""

from __future__ import annotations

import csv
import gzip
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.serve.http_api.bodies.json_rows import write_table
from alo.serve.http_api.bodies.parser import Job, parse
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import Refused

from ...test_http import ROWS, STEPS, Service
from ...test_http_limits import refusals

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
        one.process.kill()
        one.process.wait()


def table(text: str, tmp_path: Path, limits: TableLimits = TableLimits()) -> list[list[str]]:  # noqa: B008
    write_table(text, tmp_path / "x.csv", limits)
    with open(tmp_path / "x.csv", newline="") as file:
        return list(csv.reader(file))


def test_columns_that_come_up_later_are_in_all_rows(tmp_path: Path) -> None:
    text = '{"args": {"s": {}}, "rows": [{}, {"a": 1}, {"b": "x\\ny", "a": null}, {"c": true}]}'

    assert table(text, tmp_path) == [
        ["a", "b", "c"],
        ["", "", ""],
        ["1", "", ""],
        ["", "x\ny", ""],
        ["", "", "True"],
    ]


def small_json() -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=8,
    )


@given(
    st.dictionaries(st.sampled_from(["rows", "args", "x"]), small_json(), max_size=3),
    st.sampled_from([None, 2]),
    st.integers(0, 40),
)
def test_what_json_refuses_is_refused_and_nothing_else_breaks(
    tmp_path_factory: pytest.TempPathFactory, content: object, indent: int | None, cut: int
) -> None:
    text = json.dumps(content, indent=indent)
    path = tmp_path_factory.getbasetemp() / "body.csv"

    with pytest.raises(Refused) if cut else _either():
        write_table(text[: max(0, len(text) - cut)], path, TableLimits())


class _either:
    """Refused or taken: an error of another kind is the fault."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return kind is Refused


@pytest.mark.parametrize(
    ("rows", "limits", "limit"),
    [
        ([{f"c{n}": 1} for n in range(200)], TableLimits(cells=1000), "cells"),
        ([{f"c{n}": 1 for n in range(20)}], TableLimits(columns=10), "columns"),
    ],
)
def test_a_table_has_limits(tmp_path: Path, rows: object, limits: TableLimits, limit: str) -> None:
    with pytest.raises(Refused) as refused:
        table(json.dumps({"rows": rows}), tmp_path, limits)

    assert (refused.value.status, refused.value.limit) == (413, limit)


def test_args_that_are_nested_too_deeply_are_refused(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    body = json.dumps({"rows": [{"a": 1}], "args": {"s": {"k": deep}}}).encode()

    parsed = parse(Job("rows", "", str(tmp_path), "", TableLimits()), body)

    assert (parsed.status, parsed.limit) == (400, "depth")


def test_large_bodies_become_what_small_ones_do(serve: Serve) -> None:
    service = serve()
    rows = {"rows": [{"a": n, "b": "x" * 20} for n in range(LARGE)]}

    answer = service.infer(rows)
    refused = service.infer({"rows": [*rows["rows"], [1]]})
    tensors = {"name": "a", "shape": [LARGE], "datatype": "INT64", "data": list(range(LARGE))}
    name = service.client.get("/openapi.json").json()["info"]["title"]
    told = service.client.post(
        f"/v2/models/{name}/infer",
        json={"id": "mine", "inputs": [tensors, {**tensors, "name": "b"}]},
    )

    assert answer.status_code == 200
    assert "data.csv|a,b" in answer.json()["summary"]["note"]
    assert refused.status_code == 422
    assert told.status_code == 200, told.text
    assert told.json()["id"] == "mine"


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
    stop = threading.Event()

    def slow() -> Iterator[bytes]:
        yield b'{"rows": [' + b" " * 900_000
        stop.wait(30)
        yield b'{"a": 1}]}'

    answers: list[int] = []

    def client() -> None:
        answers.append(
            httpx.post(
                f"{service.url}/v1/inference", content=slow(), headers=JSON, timeout=60
            ).status_code
        )

    threads = [threading.Thread(target=client) for _ in range(2)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 30
    third = 200
    while third == 200:  # until the two are on their way
        content = b'{"rows": [{"a": 1}]' + b" " * 400_000 + b"}"
        third = service.client.post("/v1/inference", content=content, headers=JSON).status_code
        assert time.monotonic() < end
    stop.set()
    for thread in threads:
        thread.join()

    assert third == 503
    assert answers == [200, 200]
    assert service.infer().status_code == 200
    assert refusals(service)["503", "bodies"] >= 1


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
    seconds: list[float] = []

    def ask() -> None:
        with httpx.Client(base_url=service.url) as client:
            while not is_done.is_set():
                began = time.monotonic()
                assert client.get("/healthz").status_code == 200
                seconds.append(time.monotonic() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    answer = service.client.post("/v1/inference", content=body, headers=JSON)
    is_done.set()
    asking.join()

    assert answer.status_code == 200
    assert statistics.median(seconds) < 0.5  # how fast it is, the benchmarks say
