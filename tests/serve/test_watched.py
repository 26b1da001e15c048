"""Alarms of real services and loops: told over HTTP and to commands, and no request waits."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alo.alarms.ledger import DELIVERED, read_ledger
from alo.layout import Workspace, find_plan

from ..alarms.conftest import Receiver
from ..conftest import write_asset
from ..support.waiting import end_all, wait_for_text, wait_until
from .conftest import Edge, RedisServer, RunningLoop
from .http_api.test_app import ROWS, Service

MakeSolution = Callable[..., Path]
SECRET = "s3cret"  # noqa: S105 - of a test
INFERENCE = {
    "inference": """
        import os
        if self.args.get("do") == "raise":
            raise ValueError("as was asked")
        Path(self.asset.get_output_path(), "out.csv").write_text("a\\n1\\n")
        seen = os.environ.get("ALO_ALARM_SECRET", "none")
        self.asset.save_summary(self.args.get("word", "a"), self.args.get("score", 0.9), seen)
    """,
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.stop()


@pytest.fixture
def make_home(make_solution: MakeSolution) -> Callable[..., Path]:
    """A project whose plan has an alarm: ``make_home(score_below=0.5, url=...)``."""

    def make(**alarm: Any) -> Path:
        home = make_solution(inference=INFERENCE)
        path = find_plan(home)
        path.write_text(json.dumps({**json.loads(path.read_text()), "alarm": alarm}))
        return home

    return make


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []
    monkeypatch.setenv("ALO_ALARM_SECRET", SECRET)

    def start(home: Path, *words: str) -> Service:
        running.append(Service(home, *words))
        return running[-1]

    yield start
    for one in running:
        one.client.close()
    end_all(*(one.process for one in running))


def ask(service: Service, **args: Any) -> dict[str, Any]:
    answer: dict[str, Any] = service.infer({**ROWS, "args": {"inference": args}}).json()
    return answer


def states(receiver: Receiver) -> list[str]:
    return [got.body["state"] for got in receiver.received]


def test_a_service_tells_a_url_once_for_each_crossing(
    make_home: Callable[..., Path], serve: Callable[..., Service], receiver: Receiver
) -> None:
    home = make_home(score_below=0.5, of_last=4, share=0.5, url=f"{receiver.url}/hook")
    receiver.answers = [503]
    service = serve(home, "--json")

    for score in (0.9, 0.1, 0.9, 0.1, 0.1, 0.1):
        assert ask(service, score=score)["summary"]["note"] == "none"  # no asset sees the secret

    wait_until(lambda: len(receiver.received) == 2)  # 503, then 200
    first, second = receiver.received
    assert first.raw == second.raw
    signed = hmac.new(SECRET.encode(), first.raw, hashlib.sha256).hexdigest()
    assert first.headers["X-Alo-Signature"] == f"sha256={signed}"
    found = {
        key: first.body[key] for key in ("alarm", "state", "value", "limit", "count", "project")
    }
    assert found == {
        "alarm": "score_below",
        "state": "raised",
        "value": 0.5,
        "limit": 0.5,
        "count": 4,
        "project": "test",
    }
    for _ in range(4):
        ask(service, score=0.9)
    wait_until(lambda: states(receiver) == ["raised", "raised", "ended"])
    line = wait_for_text(r".*alarm score_below raised.*", service.log, service.process)[0]
    assert first.body["id"] in json.loads(line)["payload"]["text"]
    metrics = service.client.get("/metrics").text
    assert 'alo_alarms_raised_total{alarm="score_below"} 1.0' in metrics
    assert 'alo_alarm{alarm="score_below"} 0.0' in metrics


def test_failures_raise_an_alarm_and_refusals_do_not(
    make_home: Callable[..., Path], serve: Callable[..., Service]
) -> None:
    home = make_home(failures=0.75, of_last=4, command="sh -c 'cat >> told.jsonl'")
    service, workspace = serve(home), Workspace(home)

    ask(service, do="raise")
    assert service.infer({**ROWS, "args": {"nowhere": {"a": 1}}}).status_code == 422
    ask(service, do="raise")
    ask(service)
    wait_until(lambda: len(read_ledger(workspace).window.failures) >= 3)
    assert read_ledger(workspace).window.failures == (True, True, False)
    ask(service, do="raise")

    wait_until((home / "told.jsonl").exists)
    wait_until(lambda: not read_ledger(workspace).waiting)
    (line,) = (home / "told.jsonl").read_text().splitlines()
    assert {**json.loads(line), "id": "", "time": ""} == {
        "id": "",
        "alarm": "failures",
        "state": "raised",
        "value": 0.75,
        "limit": 0.75,
        "count": 4,
        "project": "test",
        "time": "",
    }


def test_another_class_mix_than_the_train_runs_raises_an_alarm(
    make_home: Callable[..., Path], serve: Callable[..., Service], alo: Callable[..., Any]
) -> None:
    home = make_home(class_mix=0.3, of_last=20)
    plan = json.loads(find_plan(home).read_text())
    plan["user_parameters"]["train_pipeline"] = [{"step": "train", "args": {}}]
    find_plan(home).write_text(json.dumps(plan))
    mix = {"a": 0.5, "b": 0.5}
    write_asset(home, "train", f"self.asset.save_summary('fitted', 0.9, probability={mix})")
    assert alo("run", "--mode", "train", cwd=home).returncode == 0
    service = serve(home)

    for number in range(20):
        ask(service, word="ab"[number % 2])
    wait_until(lambda: len(read_ledger(Workspace(home)).window.mixes) == 20)
    assert read_ledger(Workspace(home)).crossings == ()
    for _ in range(20):
        ask(service, word="c")

    wait_until(lambda: read_ledger(Workspace(home)).raised)
    (crossing,) = read_ledger(Workspace(home)).crossings
    assert (crossing.alarm, crossing.limit, crossing.requests) == ("class_mix", 0.3, 20)
    assert crossing.value >= 0.3


def test_a_command_that_hangs_or_is_missing_touches_no_request(
    make_home: Callable[..., Path], serve: Callable[..., Service]
) -> None:
    home = make_home(score_below=0.5, command="./hang.sh")
    service = serve(home)
    wait_for_text("there is no file ./hang.sh", service.log, service.process)
    ask(service, score=0.1)
    wait_for_text("was not delivered: it cannot be started", service.log, service.process)
    (home / "hang.sh").write_text("#!/bin/sh\ntouch begun\nsleep 600\n")
    (home / "hang.sh").chmod(0o755)

    ask(service, score=0.9)
    wait_until((home / "begun").exists)

    assert [ask(service, score=score)["status"] for score in (0.1, 0.9)] == ["success"] * 2
    metrics = service.client.get("/metrics").text
    assert 'alo_alarm_calls_failed_total{alarm="score_below"} 1.0' in metrics
    assert service.end() == 0  # it does not wait for the command to end


def test_on_a_full_disk_requests_are_answered_and_the_alarm_comes_with_the_room(
    make_home: Callable[..., Path], serve: Callable[..., Service], receiver: Receiver
) -> None:
    home = make_home(score_below=0.5, url=receiver.url)
    folder, plan = home / "solution", find_plan(home).read_bytes()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (folder / "experimental_plan.yaml").write_bytes(plan)
        service = serve(home)
        with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
            while file.write(b"x" * 4096):
                pass

        assert ask(service, score=0.1)["status"] == "success"
        wait_for_text("alarms cannot be noted: .*No space left", service.log, service.process)
        assert receiver.received == []

        (folder / "filler").unlink()
        wait_until(lambda: states(receiver) == ["raised"])
        assert service.end() == 0
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_two_loops_of_a_project_see_one_crossing_and_call_once(
    make_home: Callable[..., Path],
    loop: Callable[..., RunningLoop],
    edge: Edge,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALO_ALARM_SECRET", SECRET)
    home = make_home(score_below=0.5, of_last=20, share=1.0, url=receiver.url)
    for _ in range(2):
        loop(home, "--workers", "2")
    for _ in range(20):
        edge.send(args={"inference": {"score": 0.1}})

    wait_until(lambda: receiver.received)

    for _ in range(20):
        summary, _ = edge.answers()
        assert summary["message"]["note"] == "none"
    for _ in range(20):
        edge.ask(args={"inference": {"score": 0.9}})
    wait_until(lambda: states(receiver) == ["raised", "ended"])
    assert "X-Alo-Signature" in receiver.received[0].headers


def test_a_loop_killed_while_it_calls_is_followed_by_one_that_calls_with_the_same_id(
    make_home: Callable[..., Path], loop: Callable[..., RunningLoop], edge: Edge, receiver: Receiver
) -> None:
    home = make_home(failures=1, of_last=1, url=receiver.url)
    one = loop(home)
    receiver.gate.clear()
    edge.ask(args={"inference": {"do": "raise"}})
    wait_until(lambda: receiver.received)
    one.process.kill()
    one.process.wait()
    receiver.gate.set()
    shutil.rmtree(home / ".alo")

    loop(home)

    wait_until(lambda: read_ledger(Workspace(home)).crossings[0].delivery == DELIVERED)
    assert len({got.body["id"] for got in receiver.received}) == 1
    assert len(receiver.received) == 2


def test_over_a_queue_the_loop_tells_and_the_server_counts(
    make_home: Callable[..., Path],
    serve: Callable[..., Service],
    loop: Callable[..., RunningLoop],
    redis_server: RedisServer,
    receiver: Receiver,
) -> None:
    home = make_home(score_below=0.5, of_last=2, share=1.0, url=receiver.url)
    loop(home)
    service = serve(home, "--queue", redis_server.url)

    for _ in range(2):
        assert ask(service, score=0.1)["status"] == "success"

    wait_until(lambda: read_ledger(Workspace(home)).crossings)
    wait_until(lambda: not read_ledger(Workspace(home)).waiting)
    assert states(receiver) == ["raised"]
    assert 'alo_alarm{alarm="score_below"} 1.0' in service.client.get("/metrics").text
    assert len(read_ledger(Workspace(home)).window.scores) == 2  # each request counts once
