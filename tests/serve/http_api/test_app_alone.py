"""The application's answers to what a service does, without a server and without a process."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect

from alo.serve.http_api.app import Application
from alo.serve.http_api.guard import Access
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.service import Answer
from alo.workers.protocol import ASSET_RUN, Failure
from alo.workers.ticket import Result


def asked(service: Any, path: str, **options: Any) -> httpx.Response:
    """The answer of the application alone; no server and no process is there."""
    application: Any = Application(service, Access())

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(options.pop("verb", "GET"), path, **options)

    return asyncio.run(ask())


class StandInService:
    """In the place of ``HttpService``: notes what is reported and refused."""

    def __init__(self, **more: Any) -> None:
        self.limits, self.reports = Limits(), list[str]()
        self.refusals: list[tuple[int, str]] = []
        self.metrics = SimpleNamespace(count_refusal=lambda *given: self.refusals.append(given))
        self.report = self.reports.append
        vars(self).update(more)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507),
        (OSError(errno.EACCES, "Permission denied"), 500),
    ],
)
def test_a_disk_that_does_not_take_a_request_is_said_and_counted(
    error: OSError, status: int
) -> None:
    def find(request_id: str) -> None:
        raise error

    service = StandInService(find=find)

    answer = asked(service, "/v1/requests/0")

    assert answer.status_code == status
    assert str(error.strerror) in answer.json()["error"]["message"]
    assert service.refusals == [(status, "disk")]
    assert len(service.reports) == 1


def test_a_client_that_has_hung_up_is_no_fault_of_ours() -> None:
    def find(request_id: str) -> None:
        raise ClientDisconnect

    service = StandInService(find=find)

    answer = asked(service, "/v1/requests/0")

    assert answer.status_code == 400
    assert service.reports == []


def test_an_output_that_is_forgotten_while_it_is_asked_for_is_not_found(tmp_path: Path) -> None:
    service = StandInService(output=lambda request_id, name: tmp_path / "gone.csv")

    answer = asked(service, "/v1/requests/0/outputs/gone.csv")

    assert answer.status_code == 404
    assert "no longer kept" in answer.json()["error"]["message"]


def test_tensors_are_refused_in_the_words_of_their_protocol() -> None:
    failure = Failure(*ASSET_RUN, "the asset has failed", kind="timeout")

    async def answer_now(request_id: str, args: object, files: object) -> Answer:
        return Answer(request_id, "fail", Result(request_id, None, (), failure, 0.1))

    service = StandInService(
        answer_now=answer_now,
        new_folder=lambda is_stored: ("0", Path("/nowhere/in")),
        plan=SimpleNamespace(name="m"),
    )
    tensors = [{"name": "a", "shape": [1], "datatype": "INT8", "data": [1]}]

    answer = asked(service, "/v2/models/m/infer", verb="POST", json={"inputs": tensors})

    assert answer.status_code == 504
    assert answer.json() == {"error": "the asset has failed"}
