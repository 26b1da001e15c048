"""Few hops lead from an HTTP client to a user's ``run()``, over two contexts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from alo.engine.request import RunRequest
from alo.processes.child import Child
from alo.serve.http_api.app import Application
from alo.serve.http_api.guard import Access
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.service import HttpService
from alo.serve.service import prepare
from alo.workers.protocol import Request

from ..support.stacks import NotedStack
from .conftest import OUTPUT

MakeSolution = Callable[..., Path]


def own_frames() -> list[str]:
    """Modules of ours whose frames have led to the caller's caller, the outermost first."""
    frame, names = sys._getframe(2), []
    while frame is not None:
        names.append(str(frame.f_globals.get("__name__", "")))
        frame = frame.f_back  # type: ignore[assignment]
    return [name for name in reversed(names) if name.startswith("alo.")]


@pytest.fixture
def stack(tmp_path: Path) -> NotedStack:
    return NotedStack(tmp_path / "stack.json")


@pytest.fixture
def service(make_solution: MakeSolution, stack: NotedStack) -> Iterator[HttpService]:
    home = make_solution(inference={"inference": stack.code + OUTPUT})
    prepared = prepare(RunRequest(home), "serve", lambda event: None)
    service = HttpService(prepared, Limits(workers=1), "", lambda event: None)
    service.start()
    yield service
    service.stop()
    prepared.folder.remove()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/v1/inference", {"rows": [{"a": 1}]}),
        (
            "/v2/models/test/infer",
            {"inputs": [{"name": "a", "shape": [1], "datatype": "INT64", "data": [1]}]},
        ),
    ],
)
def test_at_most_fifteen_frames_of_ours_lead_to_the_users_code(
    service: HttpService,
    stack: NotedStack,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    content: object,
) -> None:
    in_loop: list[str] = []
    send = Child.send

    def noted_send(child: Child, message: object) -> None:
        if isinstance(message, Request):
            in_loop.extend([*own_frames(), Child.__module__])
        send(child, message)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Application(service, Access()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(path.replace("/test/", f"/{service.plan.name}/"), json=content)

    monkeypatch.setattr(Child, "send", noted_send)
    answer = asyncio.run(ask())

    assert answer.status_code == 200, answer.text
    in_worker = [name for name in stack.modules() if name.startswith("alo.")]
    contexts = [in_loop, in_worker]
    assert all(contexts)
    assert sum(map(len, contexts)) <= 15, contexts
    layers = ("serve", "workers", "engine", "processes")
    for context in contexts:
        order = [layers.index(name.split(".")[1]) for name in context]
        assert order == sorted(order), context
