"""A step has a process of its own where it, or what it asks for, needs one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.steps.executor import has_own_process


@pytest.mark.parametrize(
    ("beside", "own"),
    [
        ({}, False),
        ({"retries": 0}, False),
        ({"isolation": "process"}, True),
        ({"timeout": 60}, True),
        ({"retries": 1}, True),
    ],
)
def test_isolation_a_time_limit_and_further_tries_need_one(
    make_solution: Callable[..., Path], beside: dict[str, object], own: bool
) -> None:
    (job,) = check_solution(RunRequest(make_solution({"a": "pass"}, beside={"a": beside}))).jobs
    (step,) = job.pipeline.steps

    assert has_own_process(job, step) is own
    assert has_own_process(job._replace(code=job.code._replace(pythons={"a": "/python"})), step)
