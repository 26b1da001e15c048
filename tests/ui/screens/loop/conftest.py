"""A studio of a project with a model and reviewed results."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.loop_project import review_results, write_loop_project
from tests.support.waiting import wait_until

from alo.cli.main import main
from alo.ui.jobs.job import Job
from alo.ui.studio import Studio

Command = Callable[..., int]
Ended = Callable[[str], Job]


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: a project with a model and a review of 100 results."""
    from tests.conftest import write_solution

    folder = tmp_path_factory.mktemp("reviewed") / "project"
    home = write_loop_project(lambda **options: write_solution(home=folder, **options))
    review_results(home)
    return home


@pytest.fixture
def home(reviewed: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(reviewed, tmp_path / "project", symlinks=True)


@pytest.fixture
def command(home: Path) -> Command:
    """``command("dataset", "make", ...)``: the command line in this project; returns its status."""
    return lambda *words: main([*words, "--project", str(home)])


@pytest.fixture
def dataset(command: Command) -> str:
    """A data set of the review."""
    assert command("dataset", "make", "d", "--review", "r") == 0
    return "d@v1"


@pytest.fixture
def ended(studio: Studio) -> Ended:
    """``ended(id)``: a job once it has ended."""

    def wait(job_id: str) -> Job:
        def is_over() -> bool:
            studio.jobs.look()
            return not studio.jobs.find(job_id).is_open

        wait_until(is_over)
        return studio.jobs.find(job_id)

    return wait
