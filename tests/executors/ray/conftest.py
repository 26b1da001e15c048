"""A cluster of two nodes, started once for all tests that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.two_nodes import TwoNodes

MakeSolution = Callable[..., Path]


@pytest.fixture(scope="session")
def started_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    pytest.importorskip("ray")
    hidden = tmp_path_factory.mktemp("projects")
    hidden.chmod(0o700)
    cluster = TwoNodes(tmp_path_factory.mktemp("cluster"), hidden)
    yield cluster
    cluster.stop()


@pytest.fixture
def cluster(started_cluster: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> TwoNodes:
    """The cluster, whole, whose token this process knows."""
    if not started_cluster.is_whole:
        started_cluster.stop()
        started_cluster.start()
    for name, value in started_cluster.environ.items():
        monkeypatch.setenv(name, value)
    return started_cluster


@pytest.fixture
def make_hidden(
    cluster: TwoNodes, make_solution: MakeSolution, request: pytest.FixtureRequest
) -> MakeSolution:
    """As ``make_solution``, where the nodes see nothing of it."""

    def make(*steps: Mapping[str, str | None] | None, name: str = "a", **given: Any) -> Path:
        home = cluster.hidden / f"{request.node.name}-{name}"
        return make_solution(*steps, home=home, **given)

    return make
