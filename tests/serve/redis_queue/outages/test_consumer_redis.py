"""Redis is away, cut off, full or refuses: no request and no answer is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ....support.waiting import PATIENCE_S, wait_until
from ...conftest import Edge, RedisServer, RunningLoop
from ..conftest import all_answered, numbered, results

StartLoop = Callable[..., RunningLoop]


def test_redis_may_be_away_at_start_and_in_the_middle(
    home: Path,
    loop: StartLoop,
    edge: Edge,
    redis_server: RedisServer,
    alo: Callable[..., Any],
) -> None:
    redis_server.kill()
    running = loop(home, is_ready=False)
    running.wait_until("Redis is away")
    (reported,) = json.loads(alo("loop", "status", "--json", cwd=home).stdout)
    assert (reported["pid"], reported["status"]) == (running.process.pid, "redis is away")
    redis_server.start()
    running.wait_until("serving requests")
    assert "serving since" in alo("loop", "status", cwd=home).stdout
    numbered(edge, 3, "slow")
    edge.wait_until_taken()

    redis_server.kill()
    wait_until(lambda: running.log.read_text().count("Redis is away") == 2)
    redis_server.start()

    all_answered(edge, 3)
    assert edge.ask(args={"input": {"word": "later"}})[0]["message"]["result"] == "later"


def test_a_redis_that_stands_still_costs_nothing(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    loop(home)
    numbered(edge, 2, "slow")
    edge.wait_until_taken()

    redis_server.process.send_signal(signal.SIGSTOP)
    time.sleep(1)  # longer than a request takes
    redis_server.process.send_signal(signal.SIGCONT)

    all_answered(edge, 2)


def test_a_connection_that_is_cut_costs_nothing(home: Path, loop: StartLoop, edge: Edge) -> None:
    loop(home)
    numbered(edge, 3, "slow")
    for _ in range(4):
        time.sleep(0.15)  # any moments of the three will do
        edge.redis.client_kill_filter(_type="normal", skipme=True)

    all_answered(edge, 3)


def test_a_redis_that_forgets_all_still_gets_the_answer_in_hand(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    loop(home)
    numbered(edge, 1, "slow")
    edge.wait_until_taken()

    redis_server.kill(forget=True)
    redis_server.start()

    assert results(edge, 1) == ["n0"]
    assert edge.ask()[0]["status"] == "success"


def test_a_redis_without_room_is_waited_for(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer
) -> None:
    running = loop(home)
    edge.ask()
    numbered(edge, 3, "slow")
    redis_server.client.config_set("maxmemory", "1")
    running.wait_until("Redis is away")
    redis_server.client.config_set("maxmemory", "0")

    assert results(edge, 3) == ["n0", "n1", "n2"]
    running.wait_until("Redis is back")
    assert edge.left() == {}


@pytest.mark.parametrize("name", ["request_inference", "inference_summary", "inference_artifacts"])
def test_a_key_of_another_kind_is_waited_for_and_nothing_is_lost(
    home: Path, loop: StartLoop, edge: Edge, name: str
) -> None:
    running = loop(home)
    edge.redis.set(name, "no list")
    if name != "request_inference":
        edge.send()

    running.wait_until("Redis refuses (WRONGTYPE")
    edge.redis.delete(name)
    if name == "request_inference":
        edge.send()

    assert [answer["status"] for answer in edge.answers()] == ["success", "success"]
    assert edge.left() == {}
    running.wait_until("Redis is back")
    assert running.end() == 0
    assert "Traceback" not in running.log.read_text()


def test_a_redis_that_refuses_from_the_beginning_ends_the_loop_with_an_error(
    home: Path, redis_server: RedisServer
) -> None:
    redis_server.client.config_set("requirepass", "secret")
    done = subprocess.run(
        [sys.executable, "-m", "alo.cli.main", "run", "--loop", "--redis", redis_server.url],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    assert done.returncode == 1
    assert "Redis refuses" in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr
