"""A model in the shadow sees what the model in use sees, and answers no one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alo.history.browse import History
from alo.history.deployment import change_deployment, read_deployment
from alo.history.filters import Filters
from alo.layout import Workspace
from alo.serve.rollout import shadow
from alo.serve.rollout.shadow import FILE, OLD_FILE, Comparison, Shadow, compared
from alo.workers.protocol import Request

from ...support.waiting import wait_until
from ..http_api.test_app import Service
from .conftest import StandIn, result

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
    tried = {
        record.train_id: record.is_tryout
        for record in History(Workspace(home)).list(Filters(pipeline="inference"), None)
    }
    assert tried == {trained["one"]: False, trained["two"]: True}


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


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Of a project that has the model ``new`` in the shadow."""
    found = Workspace(tmp_path)
    found.internal.mkdir()
    change_deployment(found, lambda now: now._replace(shadow="new"))
    return found


Start = Callable[[Callable[[Request], Mapping[str, object]]], Shadow]


@pytest.fixture
def shadowed(workspace: Workspace) -> Iterator[Start]:
    """A shadow that gives these answers."""
    running = []

    def start(answers: Callable[[Request], Mapping[str, object]]) -> Shadow:
        worker: Any = StandIn("new", answers=answers)
        running.append(Shadow(workspace, worker, None))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def count(workspace: Workspace) -> int:
    found = compared(workspace)
    return found.requests if found else 0


def test_nothing_is_compared_before_a_request_has_come(workspace: Workspace) -> None:
    assert compared(workspace) is None


def test_answers_are_compared_by_result_and_score_and_a_failure_is_another_answer(
    workspace: Workspace, shadowed: Start
) -> None:
    def answers(request: Request) -> Mapping[str, object]:
        if request.id == "fails":
            raise ValueError
        return {"result": "yes", "score": 0.75} if request.id == "same" else {"result": "no"}

    running = shadowed(answers)

    for name in ("same", "fails", "differs"):
        running.add(Request(name), {"result": "yes", "score": 0.25})

    wait_until(lambda: count(workspace) == 3)
    assert compared(workspace) == Comparison(3, 1, 0.25, 0.75)


def test_without_any_score_the_mean_is_none_of_theirs(
    workspace: Workspace, shadowed: Start
) -> None:
    shadowed(lambda request: {"result": "yes"}).add(Request("a"), {"result": "yes"})

    wait_until(lambda: count(workspace) == 1)
    assert compared(workspace) == Comparison(1, 1, 0, 0)


def test_comparisons_of_another_shadow_and_torn_lines_do_not_count(
    workspace: Workspace, shadowed: Start
) -> None:
    shadowed(lambda request: {}).add(Request("a"), {})
    wait_until(lambda: count(workspace) == 1)
    line = (workspace.internal / FILE).read_text()
    (workspace.internal / OLD_FILE).write_text(line)

    with open(workspace.internal / FILE, "a") as file:
        file.write(f"{line.replace('new', 'other')}[]\n{{}}\n{line[:20]}")

    assert count(workspace) == 2


def test_a_file_of_comparisons_that_is_full_becomes_the_old_one(
    workspace: Workspace, shadowed: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "MOST_BYTES", 1)
    running = shadowed(lambda request: {})

    for number in range(3):
        running.add(Request(str(number)), {})

    wait_until(lambda: count(workspace) == 2 and '"2"' in (workspace.internal / FILE).read_text())
    assert (workspace.internal / OLD_FILE).read_text().count("\n") == 1


def test_a_comparison_that_cannot_be_written_costs_itself_alone(
    workspace: Workspace, shadowed: Start
) -> None:
    (workspace.internal / FILE).mkdir()
    done = threading.Event()
    running = shadowed(lambda request: {"result": done.set()} if request.id == "b" else {})

    for name in ("a", "b"):
        running.add(Request(name), {})

    wait_until(done.is_set)
    (workspace.internal / FILE).rmdir()
    running.add(Request("c"), {})
    wait_until(lambda: count(workspace) >= 1)


def test_a_slow_shadow_leaves_the_newest_requests_out_and_is_not_waited_for(
    workspace: Workspace, shadowed: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "MOST_SHADOWED", 2)
    monkeypatch.setattr(shadow, "STOP_S", 0.01)
    begun, go_on = threading.Event(), threading.Event()
    asked = []

    def answers(request: Request) -> Mapping[str, object]:
        asked.append(request.id)
        begun.set()
        go_on.wait()
        return {}

    running = shadowed(answers)
    running.add(Request("0"), {})
    wait_until(begun.is_set)

    for name in ("1", "2", "3"):
        running.add(Request(name), {})
    assert running._waiting.qsize() == 2
    running.stop()

    go_on.set()
    running._thread.join()
    assert asked == ["0"]
