"""The last request that was answered checks the next model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...waiting import wait_until
from ..http_api.test_app import Service
from .conftest import result

Alo = Callable[..., Any]


def test_the_last_request_of_an_earlier_service_checks_the_model_of_the_next(
    home: Path, trained: dict[str, str], service: Service, start: Callable[..., Service], alo: Alo
) -> None:
    assert result(service) == "one"
    wait_until(lambda: any((home / ".alo/samples").glob("*/request.json")))
    service.process.kill()
    service.process.wait()
    alo("deploy", trained["broken"], cwd=home)

    assert result(start()) == "one"
