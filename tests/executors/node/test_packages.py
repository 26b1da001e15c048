"""What a plan requires is installed on a node, in an environment that its slots share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.sources.wheels import make_wheel

from alo.engine.request import NODE, NODES, RunRequest, Setup
from alo.engine.run import ready
from alo.errors import ExecutorError
from alo.executors.depot import Depot
from alo.executors.finding import setup_for
from alo.executors.node import packages
from alo.executors.node.executor import NodesExecutor
from alo.executors.node.packages import locked_packages
from alo.executors.task import ERROR, SUCCESS, TRIAL, Done, Result, Task
from alo.history.browse import History
from alo.layout import Workspace

from .process_node import ProcessNode

TRAIN = """
import sys
import aloleaf
print("in", sys.prefix)
self.asset.save_summary(aloleaf.VERSION, 0.5)
"""


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path) -> Path:
    for version in ("1.0", "2.0"):
        make_wheel(tmp_path / "wheels", "aloleaf", version)
    required = {"requirements": [f"aloleaf<2 --find-links {tmp_path / 'wheels'}"]}
    return make_solution({"train": TRAIN}, source={"train": required})


def jobs_of(home: Path, environment: str) -> dict[str, Any]:
    setup = Setup(environment)
    request = RunRequest(home, setup=setup)
    return {job.pipeline.kind: job for job in ready(request, lambda event: None)}


def run_on(home: Path, root: Path, jobs: dict[str, Any]) -> Result:
    lock = locked_packages(list(jobs.values()), lambda text: None)
    made = NodesExecutor(
        jobs, 1, lambda number: ProcessNode(root, "n", hides=home), Depot(), name="t", lock=lock
    )
    try:
        made.submit(Task(id="1", kind=TRIAL, pipelines=("train",)))
        (result,) = [event.result for _, event in made.events() if isinstance(event, Done)]
    finally:
        made.close()
    return result


def test_a_node_installs_what_the_plan_requires_once(home: Path, tmp_path: Path) -> None:
    root = tmp_path / "node"
    result = run_on(home, root, jobs_of(home, NODES))
    assert result.status == SUCCESS, result.error
    assert result.runs[0].result == "1.0"
    (environment,) = (root / "packages/.alo/environments").glob("*/ready.json")
    entry = History(Workspace(home)).find(result.runs[0].run_id).folder
    assert f"in {environment.parent}" in (entry / "log/pipeline.log").read_text()
    before = environment.stat().st_mtime_ns

    assert run_on(home, root, jobs_of(home, NODES)).status == SUCCESS
    assert environment.stat().st_mtime_ns == before
    assert list((home / ".alo/environments").glob("*/ready.json")) == []


def test_the_python_of_the_node_may_be_used_as_it_is(home: Path, tmp_path: Path) -> None:
    result = run_on(home, tmp_path / "node", jobs_of(home, NODE))
    assert result.status == ERROR
    assert "aloleaf" in result.error
    assert not (tmp_path / "node/packages").exists()


def test_on_a_cluster_packages_are_installed_there() -> None:
    assert setup_for("ray", Setup()).environment == NODES
    assert setup_for("ray://head:10001", Setup("node")).environment == NODE
    assert setup_for("local", Setup()).environment == "project"


@pytest.mark.parametrize("offline", [True, False])
def test_offline_counts_for_what_is_looked_up_and_installed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    setup = Setup(NODES, offline=offline)
    jobs = {job.pipeline.kind: job for job in ready(RunRequest(home, setup=setup), lambda _: None)}
    asked: list[bool] = []

    def resolve(*given: Any, offline: bool) -> list[str]:
        asked.append(offline)
        return ["aloleaf==1.0"]

    def make(*given: Any, offline: bool) -> str:
        asked.append(offline)
        return "/some/python"

    monkeypatch.setattr(packages, "resolve", resolve)
    monkeypatch.setattr(packages, "make_environment", make)
    lock = packages.locked_packages(list(jobs.values()), lambda text: None)
    found = packages.pythons_of(jobs, lock, tmp_path / "n", "here", lambda text: None)
    assert found[0] == "/some/python"

    assert asked == [offline, offline]


def test_a_node_that_cannot_install_them_is_named_with_what_to_do(
    home: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(home, NODES)
    lock = locked_packages(list(jobs.values()), lambda text: None)
    assert lock is not None
    for wheel in (tmp_path / "wheels").iterdir():  # as where its index cannot be reached
        wheel.unlink()

    def connect(number: int) -> ProcessNode:
        return ProcessNode(tmp_path / "node", "n7", hides=home)

    made = NodesExecutor(jobs, 1, connect, Depot(), name="t", lock=lock)
    made.submit(Task(id="1", kind=TRIAL, pipelines=("train",)))

    with pytest.raises(ExecutorError, match="no node is left: node n7 cannot install") as caught:
        list(made.events())
    made.close()

    assert "cannot install the lock of the environment 'project'" in caught.value.what
    assert caught.value.where.startswith("n7")
    assert caught.value.fix.endswith("--env node")
