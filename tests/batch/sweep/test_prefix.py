from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.batch.sweep.definition import Definition, Metric
from alo.batch.sweep.prefix import prefix_of, with_cached_prefix
from alo.batch.sweep.space import Choices, Param
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.spec import Job


@pytest.fixture
def job(make_solution: Callable[..., Path]) -> Job:
    home = make_solution(
        {"a": "pass", "b": "pass", "c": "pass"}, args={"c": {"x": 1}, "a": {"y": 1}}
    )
    (found,) = check_solution(RunRequest(home, mode="train")).jobs
    return found


def sweep_of(step: str, key: str, **more: object) -> Definition:
    param = Param("train", step, key, Choices((1, 2)))
    return Definition(
        name="s", params=(param,), metrics=(Metric("score"),), sampler="grid", seed=0,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_steps_before_the_first_swept_one_are_the_prefix(job: Job) -> None:
    assert prefix_of(sweep_of("c", "x"), job) == "b"
    assert prefix_of(sweep_of("a", "y"), job) == ""


def test_a_step_whose_seed_changes_is_in_no_prefix(job: Job) -> None:
    assert prefix_of(sweep_of("c", "x", repeats=2, seed_arg="b.seed"), job) == "a"


def test_the_steps_of_a_prefix_are_cached_whatever_the_plan_says(job: Job) -> None:
    cached = with_cached_prefix(job, "b")

    assert [step.cache for step in cached.pipeline.steps] == [True, True, False]
    assert cached.plan.control.cache
    assert with_cached_prefix(job, "") is job
