"""Readiness is the truth: a live, warm worker; what ends a service, and how fast."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import RedisServer, RunningLoop
from .test_http import ROWS, STEPS, Service

MakeSolution = Callable[..., Path]
HANG = "import time\ntime.sleep(600)\n"


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    made = make_solution(inference=STEPS, control={"backup_artifacts": False})
    (made / "train_artifacts/models/train").mkdir(parents=True)  # of no run in history
    (made / "train_artifacts/models/train/m").write_text("x")
    return made


@pytest.fixture
def serve(home: Path) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []

    def start(*words: str) -> Service:
        running.append(Service(home, *words))
        return running[-1]

    yield start
    for one in running:
        one.client.close()
        one.process.kill()
        one.process.wait()


def wait_for(service: Service, status: int, within_s: float) -> None:
    end = time.monotonic() + within_s
    while service.client.get("/readyz").status_code != status:
        assert time.monotonic() < end, service.log.read_text()
        time.sleep(0.05)


def break_import(home: Path) -> Path:
    """The assets cannot be imported from now on; returns what makes them whole."""
    asset = home / "assets/inference/asset_inference.py"
    shutil.copy(asset, home / "whole.py")
    asset.write_text("raise RuntimeError('broken meanwhile')\n")
    return asset


def test_a_worker_that_cannot_be_booted_any_more_is_not_ready_until_it_can(
    home: Path, serve: Callable[..., Service]
) -> None:
    service = serve()
    asset = break_import(home)
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)

    wait_for(service, 503, 3)
    assert service.client.get("/healthz").status_code == 200
    wait_until_told = time.monotonic() + 30
    while "broken meanwhile" not in service.log.read_text():
        assert time.monotonic() < wait_until_told
        time.sleep(0.05)
    refused = service.infer()
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert "broken meanwhile" in refused.text

    shutil.copy(home / "whole.py", asset)
    wait_for(service, 200, 30)
    assert service.infer().status_code == 200


def test_workers_that_die_while_they_are_free_cost_no_request(
    serve: Callable[..., Service],
) -> None:
    service = serve("--workers", "2")
    for _ in range(3):
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        assert service.infer().status_code == 200


def test_a_service_outlives_its_internal_folder(
    home: Path, serve: Callable[..., Service], alo: Callable[..., Any]
) -> None:
    service = serve()
    accepted = service.infer(ROWS, "?async=1").json()["id"]
    assert accepted
    assert service.infer().status_code == 200

    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it

    wait_for(service, 200, 30)
    end = time.monotonic() + 30
    while service.infer().status_code != 200:
        assert time.monotonic() < end
    later = service.infer(ROWS, "?async=1").json()["id"]
    while service.client.get(f"/v1/requests/{later}").json()["status"] != "success":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert service.end() == 0


def test_a_service_whose_model_is_gone_is_not_ready_until_there_is_one(
    home: Path, serve: Callable[..., Service]
) -> None:
    service = serve()
    models = home / "train_artifacts/models"
    models.rename(home / "models")
    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)

    end = time.monotonic() + 30
    while "the model is gone" not in service.log.read_text():
        assert time.monotonic() < end, service.log.read_text()
        time.sleep(0.05)
    assert service.client.get("/readyz").status_code == 503
    assert "the model is gone" in service.infer().text

    (home / "models").rename(models)
    wait_for(service, 200, 30)
    assert service.infer().status_code == 200


def test_a_boot_that_takes_too_long_ends_with_the_assets_name(
    make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    home = make_solution(inference=STEPS)
    asset = home / "assets/inference/asset_inference.py"
    asset.write_text(HANG + asset.read_text())

    done = alo("serve", "--port", "0", "--boot-timeout", "1", cwd=home)

    assert done.returncode == 1
    assert "not warm after 1 s" in done.stderr
    assert "asset_inference.py" in done.stderr


def test_a_signal_ends_a_service_within_the_request_in_hand(
    home: Path, serve: Callable[..., Service], tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    service, mark = serve(), tmp_path / "begun"
    slow = {**ROWS, "args": {"inference": {"do": "slow", "mark": str(mark)}}}
    later = [service.infer(slow, "?async=1").json()["id"] for _ in range(30)]
    end = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    with ThreadPoolExecutor(5) as clients:
        waiting = [clients.submit(service.infer, slow) for _ in range(5)]
        while service.client.get("/metrics").text.count("alo_queue_length 3") == 0:
            assert time.monotonic() < end
            time.sleep(0.005)
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        answers = [each.result().status_code for each in waiting]
        assert service.process.wait(30) == 0

    assert time.monotonic() - began < 8
    assert set(answers) <= {200, 503}
    assert 503 in answers
    again = serve()
    for request_id in later:
        while again.client.get(f"/v1/requests/{request_id}").json()["status"] != "success":
            assert time.monotonic() < end + 60
            time.sleep(0.05)


def test_the_server_in_front_of_loops_is_ready_only_while_one_gives_signs_of_life(
    home: Path, redis_server: RedisServer, serve: Callable[..., Service]
) -> None:
    service = serve("--queue", redis_server.url)
    assert service.client.get("/readyz").status_code == 503
    loop = RunningLoop(home, redis_server.url)
    try:
        loop.wait_until("serving requests")
        wait_for(service, 200, 10)
        loop.process.kill()
        wait_for(service, 503, 6)
    finally:
        loop.process.kill()
        loop.process.wait()
    again = RunningLoop(home, redis_server.url)
    try:
        wait_for(service, 200, 30)
        redis_server.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert service.client.get("/healthz").status_code == 200
        wait_for(service, 503, 8)
        assert time.monotonic() - began < 10
        redis_server.process.send_signal(signal.SIGCONT)
        wait_for(service, 200, 30)
    finally:
        again.process.kill()
        again.process.wait()
