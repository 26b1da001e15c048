"""A request, a worker or the loop itself goes wrong or dies: all else is answered."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ....support.waiting import PATIENCE_S, wait_until
from ...conftest import OUTPUT, Edge, RedisServer, RunningLoop
from ..conftest import ECHO, KEEP, all_answered, do, numbered

MakeSolution = Callable[..., Path]
StartLoop = Callable[..., RunningLoop]


def test_a_request_that_kills_its_worker_twice_is_put_aside(
    home: Path, loop: StartLoop, edge: Edge, redis_server: RedisServer, alo: Callable[..., Any]
) -> None:
    loop(home)

    summary, artifacts = edge.ask(**do("segfault"))

    assert summary == artifacts
    assert summary["status"] == "fail"
    assert "SIGSEGV" in summary["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {"request_inference:dead": 1}
    words = ["--redis", redis_server.url]
    listed = alo("loop", "dead", "list", *words)
    assert "1  20" in listed.stdout
    assert "SIGSEGV" in listed.stdout
    assert json.loads(alo("loop", "dead", "list", "--json", *words).stdout)[0]["number"] == 1
    assert (
        alo("loop", "dead", "replay", "1", *words).stdout == "1 request put back into the queue\n"
    )
    assert edge.answers()[0]["status"] == "fail"
    assert alo("loop", "dead", "drop", "7", *words).returncode == 2
    assert alo("loop", "dead", "drop", *words).stdout == "1 request deleted\n"
    assert alo("loop", "dead", "list", *words).stdout == "no request was given up\n"


def test_a_request_that_hangs_is_ended_and_the_next_one_works(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    loop(home, "--request-timeout", "2")

    summary, _ = edge.ask(**do("hang"))

    assert "longer than its timeout of 2 s" in summary["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}


def test_workers_that_are_killed_cost_no_request(
    home: Path, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    running = loop(home)
    for number in range(60):
        args = {}
        if number % 12 == 6:  # its worker is killed while it has this in hand
            begun, gate = tmp_path / f"begun-{number}", tmp_path / f"gate-{number}"
            args = {"do": "wait", "begun": str(begun), "gate": str(gate)}
        edge.send(args={"input": {"word": f"n{number}"}, "inference": args})
    for number in range(6, 60, 12):
        wait_until((tmp_path / f"begun-{number}").exists, running.log.read_text)
        for pid in running.workers():
            os.kill(pid, signal.SIGKILL)
        (tmp_path / f"gate-{number}").touch()
    answered: list[str] = []
    while len(set(answered)) < 60:
        found = edge.redis.blpop("inference_artifacts", PATIENCE_S)
        assert found, running.log.read_text()
        answered.append(json.loads(found[1])["message"]["result"])

    assert running.process.poll() is None, running.log.read_text()
    summaries = {
        json.loads(text)["message"]["result"]
        for text in edge.redis.lrange("inference_summary", 0, -1)
    }
    assert summaries == set(answered)


def test_a_worker_that_dies_while_it_boots_again_is_started_once_more(
    make_solution: MakeSolution, loop: StartLoop, edge: Edge, tmp_path: Path
) -> None:
    home = make_solution(inference={"inference": f"{ECHO}\n{OUTPUT}"}, control=KEEP)
    asset, crashes = home / "assets/inference/asset_inference.py", tmp_path / "crashes"
    die = f"""
import os, pathlib
crashes = pathlib.Path({str(crashes)!r})
if crashes.exists() and crashes.stat().st_size < 2:
    crashes.write_text(crashes.read_text() + "x")
    os.kill(os.getpid(), 9)
"""
    asset.write_text(f"{die}\n{asset.read_text()}")
    running = loop(home)
    crashes.write_text("")
    for pid in running.workers():
        os.kill(pid, signal.SIGKILL)

    assert edge.ask()[0]["status"] == "success"
    assert crashes.read_text() == "xx"
    assert running.log.read_text().count("starting it again") == 2


def test_a_loop_that_is_killed_is_followed_by_one_that_continues(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    running = loop(home)
    numbered(edge, 5, "slow")
    edge.wait_until_taken()
    running.end(signal.SIGKILL)
    loop(home)

    all_answered(edge, 5)
    wait_until(lambda: set(edge.left()) <= {"inference_summary", "inference_artifacts"}, edge.left)


@pytest.mark.parametrize("deep", [500, 5000, 50_000])
def test_a_request_that_is_nested_too_deeply_costs_itself_only(
    home: Path, loop: StartLoop, edge: Edge, deep: int
) -> None:
    running = loop(home)
    nested = "[" * deep + "]" * deep

    edge.send(f'{{"solution_metadata": {{"a": {nested}}}}}'.encode())
    answers = edge.answers()

    assert [answer["status"] for answer in answers] == ["fail", "fail"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}
    assert running.end() == 0


def test_a_fault_of_the_loop_itself_is_counted_answered_and_survived(
    home: Path, loop: StartLoop, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: here the loop's own code is broken for one kind of request."""
    broken = home.parent / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys\n"
        "if sys.argv[1:2] == ['run']:\n"
        "    from alo.serve.redis_queue import consumer\n"
        "    right = consumer._request\n"
        "    def wrong(content):\n"
        "        if 'poison' in str(content):\n            raise KeyError('a fault')\n"
        "        return right(content)\n"
        "    consumer._request = wrong\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(broken))
    running = loop(home)

    poisoned = edge.ask(b'{"solution_metadata": {"poison": 1}}')

    assert [answer["status"] for answer in poisoned] == ["fail", "fail"]
    assert "a fault" in poisoned[0]["message"]
    assert edge.ask()[0]["status"] == "success"
    assert edge.left() == {}
    assert running.end() == 0


def test_a_worker_that_dies_while_it_is_free_costs_no_request_a_try(
    home: Path, loop: StartLoop, edge: Edge
) -> None:
    running = loop(home)
    for _ in range(3):
        assert edge.ask()[0]["status"] == "success"
        for pid in running.workers():
            os.kill(pid, signal.SIGKILL)

    assert edge.ask()[0]["status"] == "success"
    assert running.end() == 0


def test_a_loop_outlives_its_internal_folder(home: Path, loop: StartLoop, edge: Edge) -> None:
    running = loop(home)
    assert edge.ask()[0]["status"] == "success"

    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it

    assert edge.ask()[0]["status"] == "success"
    running.wait_until("serving")
    assert running.end() == 0


def test_what_others_have_put_among_the_dead_is_shown_too(
    home: Path, edge: Edge, redis_server: RedisServer
) -> None:
    edge.redis.rpush("request_inference:dead", "what?")
    command = [sys.executable, "-m", "alo.cli.main", "loop", "dead", "--json"]
    done = subprocess.run(
        [*command, "--redis", redis_server.url],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )

    (letter,) = json.loads(done.stdout)
    assert letter["request"] == "what?"


def test_an_asset_that_fills_the_disk_fails_and_the_next_request_works(
    make_solution: MakeSolution, small_disk: Callable[..., Path], loop: StartLoop, edge: Edge
) -> None:
    fill = (
        "if self.args.get('do') == 'fill':\n"
        "    Path(self.asset.get_extra_output_path(), 'x').write_bytes(bytes(40_000_000))\n"
    )
    disk = small_disk(16, lazily=True)
    home = make_solution(
        inference={"inference": f"{fill}{OUTPUT}"}, control=KEEP, home=disk / "project"
    )
    running = loop(home)

    assert "No space left" in edge.ask(**do("fill"))[0]["message"]
    assert edge.ask()[0]["status"] == "success"
    assert running.end() == 0


def test_an_asset_that_cannot_be_imported_ends_the_loop_with_its_error(
    make_solution: MakeSolution, loop: StartLoop
) -> None:
    home = make_solution(inference={"inference": "pass"}, control=KEEP)
    asset = home / "assets/inference/asset_inference.py"
    asset.write_text(f"import helper\n{asset.read_text()}")
    (asset.parent / "helper.py").write_text("raise ValueError('at import')")

    running = loop(home, is_ready=False)

    assert running.process.wait(PATIENCE_S) == 1
    assert "ValueError: at import" in running.log.read_text()
    assert "fault in ALO" not in running.log.read_text()
