"""Fixtures for what is fetched: a project that stages URLs, and servers in the wild."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from alo.data.location import Access
from alo.data.locations import list_sources
from alo.data.remote import faults
from alo.data.staging import Staged, stage
from alo.layout import Workspace

from ..wild_server import (
    WildServer,
    wild_server,
)


@pytest.fixture
def stage_url(workspace: Workspace) -> Callable[..., Staged]:
    def run(*urls: str, access: Access = Access()) -> Staged:  # noqa: B008
        sources = list_sources(workspace.home, urls, workspace.input("train"), access)
        return stage(workspace, "train", sources, lambda done, total: None, access)

    return run


StageUrl = Callable[..., Staged]


def staged_tree(workspace: Workspace) -> dict[str, bytes]:
    root = workspace.input("train")
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


BODY = b"a,b\n" + b"1,2\n" * 100


Serve = Callable[..., WildServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *given: stack.enter_context(wild_server(*given))


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FIRST_PAUSE_S", 0.001)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


def staged_in(workspace: Workspace) -> dict[str, bytes]:
    files = [path for path in workspace.input("train").rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in files}
