"""What most tests of the service's side share: one of their own, and one for all that only ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ...support.waiting import end_all
from .test_app import STEPS, Serve, Service

MakeSolution = Callable[..., Path]


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution(inference=STEPS, control={"backup_artifacts": False})


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:
    running: list[Service] = []

    def start(*words: str, project: Path = home, **options: Any) -> Service:
        running.append(Service(project, *words, **options))
        return running[-1]

    yield start
    for service in running:
        service.client.close()
    end_all(*(service.process for service in running))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for tests that only ask."""
    from tests.conftest import write_asset

    home = tmp_path_factory.mktemp("shared") / "project"
    for step, code in STEPS.items():
        write_asset(home, step, code)
    plan = {
        "name": "my model",
        "user_parameters": {"inference_pipeline": [{"step": step} for step in STEPS]},
        "control": {"backup_artifacts": False},
    }
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    service = Service(home, "--max-body", "1")
    yield service
    service.close()
