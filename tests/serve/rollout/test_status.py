"""What is known of a deployment: who chose it, and what each service has made of it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...waiting import PATIENCE_S
from ..http_api.test_app import Service
from .conftest import status

Alo = Callable[..., Any]


def test_waiting_ends_when_nothing_has_switched_in_time(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    service.process.send_signal(signal.SIGSTOP)

    done = alo("deploy", trained["two"], "--wait", "0.5", cwd=home)

    service.process.send_signal(signal.SIGCONT)
    assert done.returncode == 3
    assert "within 0.5 s" in done.stderr


def test_the_status_shows_who_chose_and_what_each_service_uses(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    shown = status(home, alo)

    assert shown["who"]
    assert shown["when"].endswith("Z")
    assert [use["run"] for use in shown["services"].values()] == [trained["one"]]
    service.process.terminate()
    service.process.wait(PATIENCE_S)
    assert status(home, alo)["services"] == {}
