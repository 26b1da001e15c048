"""The record of a run as it begins, and what a caller gets of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.records import (
    args_of,
    first_record,
    outcome_of,
    record_again,
    summary_of,
    with_summary,
)
from alo.engine.request import RunRequest
from alo.engine.spec import Job, JobInputs
from alo.version import __version__

MakeSolution = Callable[..., Path]


@pytest.fixture
def jobs(make_solution: MakeSolution) -> tuple[Job, ...]:
    home = make_solution({"a": "pass"}, {"b": "pass"}, args={"a": {"n": 1}}, name="demo")
    return check_solution(RunRequest(home)).jobs


def test_a_run_that_begins_knows_who_it_is(jobs: tuple[Job, ...]) -> None:
    train, inference = (first_record(job, 0.0) for job in jobs)

    assert train.id.endswith("demo")
    assert (train.pipeline, train.status, train.start_time[:10]) == (
        "train",
        "running",
        "1970-01-01",
    )
    assert (train.train_id, inference.train_id) == ("", "none")
    assert train.alo_version == __version__
    assert train.args == {"a": {"n": 1}} == args_of(jobs[0])
    lent = jobs[1]._replace(inputs=JobInputs(train_id="t1"))
    assert first_record(lent, 0.0).train_id == "t1"


def test_a_password_in_a_change_is_not_recorded(jobs: tuple[Job, ...]) -> None:
    changed = jobs[0]._replace(changes=("a.url: https://me:secret@host/",))

    assert "secret" not in str(first_record(changed, 0.0))


def test_the_summary_comes_back_as_it_was_saved(jobs: tuple[Job, ...]) -> None:
    record = first_record(jobs[0], 0.0)
    summary = {"result": "fine", "score": 0.5, "note": "n", "probability": {"a": 0.25}}

    assert summary_of(record) is None
    assert summary_of(with_summary(record, summary)) == summary
    bare = with_summary(record, {"result": 1, "score": "0.5"})
    assert summary_of(bare) == {"result": "1", "score": 0.5, "note": "", "probability": {}}


def test_a_caller_gets_where_everything_is(jobs: tuple[Job, ...], tmp_path: Path) -> None:
    record = first_record(jobs[0], 0.0)._replace(status="success", seconds=1.25)

    outcome = outcome_of(record, tmp_path / "a", tmp_path / "h", ("x",))

    assert (outcome.artifacts, outcome.history, outcome.exported) == (
        tmp_path / "a",
        tmp_path / "h",
        ("x",),
    )


def test_a_further_run_of_the_same_plan_differs_in_its_name_its_start_and_its_changes(
    jobs: tuple[Job, ...],
) -> None:
    changes = ("request r", "https://user:word@host/")
    job = jobs[0]._replace(changes=changes, metadata_version="1.1")
    first = first_record(jobs[0], 0.0)

    again, anew = record_again(first, job, 60.0), first_record(job, 60.0)

    assert again._replace(id="") == anew._replace(id="")
    assert again.id.startswith("19700101T000100Z-")
    assert len({first.id, again.id, anew.id}) == 3
    assert "word" not in str(again.overrides)
    assert again.metadata_version == "1.1"
