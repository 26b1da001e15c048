"""What to run, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.spec import Job, JobCode, JobOutputs, Part, needs_setup, stores_steps

MakeSolution = Callable[..., Path]


@pytest.fixture
def job_of(make_solution: MakeSolution) -> Callable[..., Job]:
    """The job of a project with one step, and these options."""

    def make(**options: Any) -> Job:
        return check_solution(RunRequest(make_solution({"a": "pass"}, **options))).jobs[0]

    return make


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (Part(), ""),
        (Part(first="b", last="b"), "only b"),
        (Part(last="b"), "until b"),
        (Part(first="a", last="b"), "until b"),
        (Part(first="b"), ""),
        (Part(resumes="r1"), ""),
    ],
)
def test_history_says_which_part_ran(part: Part, text: str) -> None:
    assert part.text == text


def test_the_part_of_a_history_entry_ends_with_its_last_step() -> None:
    assert Part.of_text("until b") == Part.of_text("only b") == Part(last="b")
    assert Part.of_text("") == Part()


@pytest.mark.parametrize(
    ("control", "stores"),
    [({}, False), ({"interface_mode": "file"}, True), ({"cache": True}, True)],
)
def test_steps_are_stored_in_file_mode_and_for_the_cache(
    job_of: Callable[..., Job], control: dict[str, object], stores: bool
) -> None:
    assert stores_steps(job_of(control=control or None)) is stores


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ({}, False),
        ({"code": "local"}, False),
        ({"code": "local", "requirements": ["xxhash"]}, True),
    ],
)
def test_only_code_and_packages_from_elsewhere_need_a_setup(
    job_of: Callable[..., Job], source: dict[str, object], needs: bool
) -> None:
    assert needs_setup([job_of(source={"a": source})]) is needs


def test_what_later_runs_may_read_is_the_artifacts_and_where_they_are_exported(
    job_of: Callable[..., Job], tmp_path: Path
) -> None:
    job = job_of()

    assert job.is_of_project
    assert job.fills == (job.workspace.artifacts("train"),)
    assert job._replace(outputs=JobOutputs(tmp_path)).fills == (*job.fills, tmp_path)
    assert not job._replace(code=JobCode(tmp_path)).is_of_project
