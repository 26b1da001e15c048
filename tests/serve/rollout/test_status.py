"""What is known of a deployment: who chose it, and what each service has made of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.history.deployment import FAILED, Deployment, change_deployment
from alo.layout import Workspace
from alo.serve.folders import ServiceFolder, make_folder
from alo.serve.rollout.status import LATE, NO_SERVICE, REFUSED, SWITCHED, Outcome, wait_for_services

from ...support.waiting import PATIENCE_S
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


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def running(workspace: Workspace) -> Iterator[ServiceFolder]:
    """The folder of a service that runs."""
    folder = make_folder(workspace, "serve")
    yield folder
    folder.remove()


def choose(workspace: Workspace, *changes: Callable[[Deployment], Deployment]) -> None:
    change_deployment(workspace, lambda now: now.choose("new", "me", ""))
    for change in changes:
        change_deployment(workspace, change)


def test_services_have_switched_when_all_that_run_use_what_is_chosen(
    workspace: Workspace, running: ServiceFolder
) -> None:
    choose(
        workspace,
        lambda now: now.used_by(running.name, "new"),
        lambda now: now.used_by("serve-0123456789ab", "old"),  # which has ended
    )

    outcome = wait_for_services(workspace, PATIENCE_S)

    assert (outcome.state, outcome.exit_status) == (SWITCHED, 0)


def test_a_service_that_uses_the_model_before_is_not_waited_for_longer_than_is_asked(
    workspace: Workspace, running: ServiceFolder
) -> None:
    other = make_folder(workspace, "loop")
    choose(
        workspace,
        lambda now: now.used_by(running.name, "old"),
        lambda now: now.used_by(other.name, "new"),
    )

    outcome = wait_for_services(workspace, 0.01)

    assert (outcome.state, outcome.exit_status) == (LATE, 3)
    other.remove()


def test_a_model_that_has_failed_is_refused_with_the_reason(
    workspace: Workspace, running: ServiceFolder
) -> None:
    choose(workspace, lambda now: now.checked("new", FAILED, "of no use"))

    outcome = wait_for_services(workspace, PATIENCE_S)

    assert outcome == Outcome(REFUSED, "of no use")
    assert outcome.exit_status == 1


def test_without_a_service_nothing_is_waited_for(workspace: Workspace) -> None:
    choose(workspace)

    outcome = wait_for_services(workspace, PATIENCE_S)

    assert (outcome.state, outcome.exit_status) == (NO_SERVICE, 3)
