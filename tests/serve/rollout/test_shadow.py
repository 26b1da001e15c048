"""A model in the shadow sees what the model in use sees, and answers no one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alo.history.deployment import read_deployment
from alo.layout import Workspace

from ...waiting import wait_until
from ..http_api.test_app import Service
from .conftest import result

Alo = Callable[..., Any]
Run = Callable[..., Any]


def test_a_shadow_sees_the_requests_and_is_compared(
    home: Path, trained: dict[str, str], service: Service, alo: Alo
) -> None:
    alo("deploy", "--shadow", trained["two"], cwd=home)
    wait_until(lambda: "runs in the shadow" in service.log.read_text())

    for _ in range(3):
        assert result(service) == "one"

    def compared() -> dict[str, Any] | None:
        found = json.loads(alo("deploy", "--status", "--json", cwd=home).stdout)["compared"]
        return found if found and found["requests"] == 3 else None

    wait_until(lambda: compared() is not None)
    assert compared() == {
        "requests": 3,
        "same_results": 0,
        "mean_score": 0.5,
        "mean_shadow_score": 0.5,
    }
    assert "3 requests, 0 with the same result" in alo("deploy", "--status", cwd=home).stdout
    alo("deploy", "--shadow", "off", cwd=home)
    assert read_deployment(Workspace(home)).shadow == ""
    assert result(service) == "one"


def test_a_shadow_never_changes_who_answers(
    home: Path, trained: dict[str, str], run: Run, start: Callable[..., Service], alo: Alo
) -> None:
    run(home, mode="train", overrides=("train.word=used",))
    service = start()
    assert result(service) == "used"
    run(home, mode="train", overrides=("train.word=newer",))

    alo("deploy", "--shadow", trained["two"], cwd=home)
    wait_until(lambda: "runs in the shadow" in service.log.read_text())
    assert result(service) == "used"
    alo("deploy", "--shadow", "off", cwd=home)
    alo("deploy", "--shadow", trained["one"], cwd=home)
    wait_until(lambda: service.log.read_text().count("runs in the shadow") == 2)

    assert result(service) == "used"
    assert "is in use" not in service.log.read_text()
