"""One HTTP server in front of the loops of a Redis."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..support.waiting import PATIENCE_S, wait_until
from .conftest import Edge, RedisServer, RunningLoop
from .http_api.test_app import ROWS, STEPS, Held, Service

StartLoop = Callable[..., RunningLoop]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return make_solution(inference=STEPS, control={"backup_artifacts": False})


@pytest.fixture
def server(home: Path, redis_server: RedisServer) -> Iterator[Service]:
    service = Service(home, "--queue", redis_server.url, "--request-timeout", str(PATIENCE_S))
    yield service
    service.close()


def test_loops_do_the_work_and_the_server_answers(
    server: Service, home: Path, loop: StartLoop
) -> None:
    assert server.client.get("/readyz").status_code == 503
    loop(home)
    loop(home)

    answer = server.infer({**ROWS, "args": {"output": {"word": "far"}}}).json()

    assert answer["summary"]["result"] == "far"
    assert answer["summary"]["note"].startswith("request/data.csv|a,b,c\n1,x,\n")
    assert server.client.get(answer["outputs"][0]["url"]).text == "x,y\n1,a\n2.5,b\n"
    wait_until(lambda: server.client.get("/readyz").status_code == 200)  # it looks now and then
    failed = server.do("raise")
    assert failed.status_code == 500
    assert "ValueError: as was asked" in failed.json()["error"]["message"]
    died = server.do("segfault")
    assert died.status_code == 500
    assert "SIGSEGV" in died.json()["error"]["message"]


def test_edge_applications_share_the_loops(
    server: Service, home: Path, loop: StartLoop, edge: Edge
) -> None:
    loop(home)

    assert server.infer().status_code == 200
    assert edge.ask(args={"output": {"word": "edge"}})[0]["message"]["result"] == "edge"
    assert edge.left() == {}


def test_a_loop_that_is_killed_costs_no_request(
    server: Service, home: Path, loop: StartLoop, tmp_path: Path
) -> None:
    running, held = loop(home), Held(tmp_path)
    accepted = [server.infer(held.rows, "?async=1").json()["id"] for _ in range(3)]
    held.wait_until_in_hand()
    running.end(signal.SIGKILL)
    held.let_go()
    loop(home)

    server.wait_for_success(*accepted)


@pytest.mark.parametrize(
    "content",
    [5, {}, {"id": "x", "door": "d", "args": {}, "files": [{"name": "../x", "content": ""}]}],
)
def test_what_only_looks_like_a_request_of_a_server_is_refused(
    home: Path, loop: StartLoop, edge: Edge, content: object
) -> None:
    loop(home)

    edge.send(json.dumps({"alo_request": content}).encode())

    assert edge.answers()[0]["status"] == "fail"
    assert edge.ask()[0]["status"] == "success"


def test_what_is_nested_too_deeply_costs_no_loop(
    server: Service, home: Path, loop: StartLoop, redis_server: RedisServer
) -> None:
    """Over HTTP, and from whoever else can write to Redis."""
    loop(home)
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    args = {"output": {"word": deep}}
    content = {"id": "x", "door": "nobody", "args": args, "files": []}

    over_http = server.infer({**ROWS, "args": args})
    redis_server.client.rpush("request_inference", json.dumps({"alo_request": content}))
    found = redis_server.client.blpop(["alo_answers:nobody", "inference_summary"], 30)

    assert over_http.status_code in (400, 422)
    assert b"fail" in found[1]
    assert server.infer().status_code == 200


def test_what_is_left_in_redis_after_kills_expires(
    server: Service, home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    running = loop(home)
    slow = {**ROWS, "args": {"inference": {"do": "slow"}}}
    assert edge.ask()[0]["status"] == "success"
    for _ in range(4):
        assert server.infer(slow, "?async=1").status_code == 202
    edge.wait_until_taken()
    server.process.kill()
    running.end(signal.SIGKILL)
    loop(home)
    client = redis_server.client

    def staying() -> list[str]:
        keys = [key.decode() for key in client.scan_iter("*")]
        return [key for key in keys if client.ttl(key) == -1]

    wait_until(lambda: not staying(), staying)
    assert all(client.ttl(key) <= 7200 for key in client.scan_iter("*"))


def test_a_redis_that_hangs_holds_no_one_up_who_needs_it_not(
    server: Service, home: Path, loop: StartLoop, redis_server: RedisServer
) -> None:
    loop(home)
    assert server.infer().status_code == 200
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        accepted = [server.infer(ROWS, "?async=1").json()["id"] for _ in range(3)]
        states = {server.client.get(f"/v1/requests/{each}").json()["status"] for each in accepted}
        assert server.client.get("/healthz").status_code == 200
        assert states <= {"queued", "running"}
    finally:
        redis_server.process.send_signal(signal.SIGCONT)

    server.wait_for_success(*accepted)
