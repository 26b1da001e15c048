"""Readiness is the truth: a live, warm worker; what ends a service, and how fast."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ...support.waiting import GROWING_LIMITS_S, PATIENCE_S, end_all, wait_for_text, wait_until
from ..conftest import RedisServer, RunningLoop
from .test_app import ROWS, STEPS, Held, Serve, Service

MakeSolution = Callable[..., Path]
HANG = "import time\ntime.sleep(600)\n"


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    made = make_solution(inference=STEPS, control={"backup_artifacts": False})
    (made / "train_artifacts/models/train").mkdir(parents=True)  # of no run in history
    (made / "train_artifacts/models/train/m").write_text("x")
    return made


def wait_until_ready(service: Service, is_ready: bool = True) -> None:
    status = 200 if is_ready else 503
    wait_until(lambda: service.client.get("/readyz").status_code == status, service.log.read_text)


def break_import(home: Path) -> Path:
    """The assets cannot be imported from now on; returns what makes them whole."""
    asset = home / "assets/inference/asset_inference.py"
    shutil.copy(asset, home / "whole.py")
    asset.write_text("raise RuntimeError('broken meanwhile')\n")
    return asset


def test_a_worker_that_cannot_be_booted_any_more_is_not_ready_until_it_can(
    home: Path, serve: Serve
) -> None:
    service = serve()
    asset = break_import(home)
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)

    wait_until_ready(service, False)
    assert service.client.get("/healthz").status_code == 200
    wait_for_text("broken meanwhile", service.log, service.process)
    refused = service.infer()
    assert refused.status_code == 503
    assert "Retry-After" in refused.headers
    assert "broken meanwhile" in refused.text

    shutil.copy(home / "whole.py", asset)
    wait_until_ready(service)
    assert service.infer().status_code == 200


def test_workers_that_die_while_they_are_free_cost_no_request(
    serve: Serve,
) -> None:
    service = serve("--workers", "2")
    for _ in range(3):
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        assert service.infer().status_code == 200


def test_a_service_outlives_its_internal_folder(
    home: Path, serve: Serve, alo: Callable[..., Any]
) -> None:
    service = serve()
    accepted = service.infer(ROWS, "?async=1").json()["id"]
    assert accepted
    assert service.infer().status_code == 200

    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it

    wait_until_ready(service)
    wait_until(lambda: service.infer().status_code == 200)
    service.wait_for_success(service.infer(ROWS, "?async=1").json()["id"])
    assert service.end() == 0


def test_a_service_whose_model_is_gone_is_not_ready_until_there_is_one(
    home: Path, serve: Serve
) -> None:
    service = serve()
    models = home / "train_artifacts/models"
    models.rename(home / "models")
    shutil.rmtree(home / ".alo", ignore_errors=True)  # the worker may be at work in it
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)

    wait_for_text("the model is gone", service.log, service.process)
    assert service.client.get("/readyz").status_code == 503
    assert "the model is gone" in service.infer().text

    (home / "models").rename(models)
    wait_until_ready(service)
    assert service.infer().status_code == 200


def test_a_boot_that_takes_too_long_ends_with_the_assets_name(
    make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    home = make_solution(inference=STEPS)
    asset = home / "assets/inference/asset_inference.py"
    asset.write_text(HANG + asset.read_text())

    for limit in GROWING_LIMITS_S:
        done = alo("serve", "--port", "0", "--boot-timeout", str(limit), cwd=home)
        assert done.returncode == 1
        assert f"not warm after {limit} s" in done.stderr
        if "asset_inference.py" in done.stderr:  # it has come as far as that
            return
    raise AssertionError(done.stderr)


def test_a_signal_ends_a_service_within_the_request_in_hand(
    home: Path, serve: Serve, tmp_path: Path
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    service, held = serve(), Held(tmp_path)
    later = [service.infer(held.rows, "?async=1").json()["id"] for _ in range(30)]
    held.wait_until_in_hand()
    with ThreadPoolExecutor(5) as clients:
        waiting = [clients.submit(service.infer, held.rows) for _ in range(5)]
        wait_until(lambda: "alo_queue_length 34" in service.client.get("/metrics").text)
        service.process.send_signal(signal.SIGTERM)
        answers = [each.result().status_code for each in waiting]  # while the first is in hand
        held.let_go()
        assert service.process.wait(PATIENCE_S) == 0

    assert answers == [503] * 5
    again = serve()
    again.wait_for_success(*later)


def test_the_server_in_front_of_loops_is_ready_only_while_one_gives_signs_of_life(
    home: Path, redis_server: RedisServer, serve: Serve
) -> None:
    service = serve("--queue", redis_server.url)
    assert service.client.get("/readyz").status_code == 503
    loop = RunningLoop(home, redis_server.url)
    try:
        loop.wait_until("serving requests")
        wait_until_ready(service)
        loop.process.kill()
        wait_until_ready(service, False)
    finally:
        end_all(loop.process)
    again = RunningLoop(home, redis_server.url)
    try:
        wait_until_ready(service)
        redis_server.process.send_signal(signal.SIGSTOP)
        assert service.client.get("/healthz").status_code == 200
        wait_until_ready(service, False)
        redis_server.process.send_signal(signal.SIGCONT)
        wait_until_ready(service)
    finally:
        end_all(again.process)
