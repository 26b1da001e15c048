"""A project that has gone round the loop once, and what a trace of it has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.loop_project import LAX, Command, caller, review_results, write_loop_project

from alo.cli.main import main
from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace


class Found:
    """What `alo trace ID --json` has printed."""

    def __init__(self, printed: str) -> None:
        content = json.loads(printed)
        self.id, self.kind = content["id"], content["kind"]
        self.nodes = {each["id"]: each for each in content["nodes"]}
        self.edges = {(each["from"], each["to"], each["what"]) for each in content["edges"]}
        assert {end for one, other, _ in self.edges for end in (one, other)} <= self.nodes.keys()

    def state(self, node: str) -> str:
        """The state of a node."""
        return str(self.nodes[node]["state"])

    def of(self, kind: str) -> list[str]:
        """The ids of the nodes of a kind."""
        return [name for name, each in self.nodes.items() if each["kind"] == kind]


Traced = Callable[[str], Found]


@pytest.fixture(scope="session")
def looped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: a project with a review, a data set, and a candidate that is deployed."""
    from tests.conftest import write_solution

    folder = tmp_path_factory.mktemp("looped") / "project"
    home = write_loop_project(lambda **options: write_solution(home=folder, **options))
    review_results(home)
    at = ("--project", str(home))
    assert main(["dataset", "make", "d", "--review", "r", *at]) == 0
    assert main(["retrain", "--dataset", "d@v1", *LAX, "--deploy", "--json", *at]) == 0
    return home


@pytest.fixture
def home(looped: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(looped, tmp_path / "project", symlinks=True)


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = open_database(Workspace(home))
    yield database
    database.close()


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """``command("review", "list")``: in the project; its status, and what it has written."""
    return caller(home, capfd)


@pytest.fixture
def traced(command: Command) -> Traced:
    """``traced(id)``: the trace of something that is known."""

    def trace_it(wanted: str) -> Found:
        status, printed, said = command("trace", wanted, "--json")
        assert status == 0, said
        return Found(printed)

    return trace_it


@pytest.fixture
def rows(home: Path) -> list[dict[str, str]]:
    """The reviewed rows of the data set."""
    lines = (home / "datasets/d/v1/rows.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def inference(rows: list[dict[str, str]]) -> str:
    """The run whose results were reviewed."""
    return rows[0]["run"]


@pytest.fixture
def candidate(home: Path) -> str:
    """The run that was trained on the data set."""
    found = (home / "history/train").glob("*/log/comparison.json")
    return next(path.parents[1].name for path in found)
