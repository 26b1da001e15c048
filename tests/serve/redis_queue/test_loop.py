"""The life of a loop: what ends it, and who is told why it did not come to life."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from alo.engine.request import RunRequest
from alo.errors import AloError, CheckError, InstallError, PlanError, ServeError
from alo.events.types import Event, SettingUp
from alo.serve.redis_queue.loop import _publish_boot_failure, _run_all, serve_loop
from alo.serve.redis_queue.queue import FAIL_CHANNEL
from alo.serve.redis_queue.url import connect

from ...support.waiting import wait_until
from ..conftest import RedisServer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PlanError([]), "E121"),
        (InstallError("no such package"), "E131"),
        (ServeError("it does not boot"), "E132"),
        (CheckError([]), "E132"),
        (AloError("another"), "E121"),
    ],
)
def test_why_a_loop_does_not_boot_is_published_with_its_code(
    redis_server: RedisServer, error: AloError, code: str
) -> None:
    client = redis_server.client
    with client.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(FAIL_CHANNEL)
        heard.get_message(timeout=1)

        _publish_boot_failure(client, error)

        message: Any = wait_until(lambda: heard.get_message(timeout=0.1))
    content = json.loads(message["data"])
    assert (content["ERROR_CODE"], content["COMMENT"]) == (code, str(error))


def test_a_redis_that_is_away_hides_no_error(redis_server: RedisServer, tmp_path: Path) -> None:
    url = redis_server.url
    redis_server.kill()

    _publish_boot_failure(connect(url), ServeError("it does not boot"))
    with pytest.raises(AloError, match="experimental_plan"):
        serve_loop(RunRequest(tmp_path), url, lambda event: None)


def test_the_first_error_ends_all_workers_and_is_raised() -> None:
    ended = threading.Event()

    def fail() -> None:
        raise ServeError("it does not boot")

    with pytest.raises(ServeError, match="does not boot"):
        _run_all([ended.wait, fail, ended.wait], ended.set, lambda event: None)  # type: ignore[list-item]


def test_a_signal_ends_all_workers_after_what_they_have_in_hand_and_is_taken_back() -> None:
    ended, events = threading.Event(), list[Event]()
    before = signal.getsignal(signal.SIGTERM)

    def wait() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        ended.wait()

    _run_all([wait], ended.set, events.append)

    assert [type(event) for event in events] == [SettingUp]
    assert "ending after the request in hand" in str(events)
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_signal_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, statuses = threading.Event(), list[int]()

    def leave(status: int) -> None:
        statuses.append(status)
        ended.set()

    monkeypatch.setattr(os, "_exit", leave)

    def wait() -> None:
        events: list[Event] = heard
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: events)
        os.kill(os.getpid(), signal.SIGTERM)
        ended.wait()

    heard: list[Event] = []
    _run_all([wait], lambda: None, heard.append)

    assert statuses == [128 + signal.SIGTERM]
