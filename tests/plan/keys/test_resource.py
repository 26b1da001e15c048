"""What a step asks for: sizes with units, and what is wrong with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import PlanError
from alo.plan.load import parse_plan
from alo.plan.model import Resources

PLAN = """name: p
user_parameters:
  - train_pipeline:
    - {step: one, resources: {cpu: 1, memory: %s}}
    - {step: two, resources: {cpu: 0.5, gpu: 1}}
"""


def resources_of(memory: str) -> Resources:
    plan = parse_plan((PLAN % memory).encode(), path=Path("/p/plan.yaml"), home=Path("/p"))
    assert plan.train is not None
    return plan.train.resources


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4 * 10**9),
        ("4 GiB", 4 * 2**30),
        ("1.5gb", 15 * 10**8),
        ("500mb", 5 * 10**8),
        ("2000000B", 2_000_000),
    ],
)
def test_a_run_asks_for_the_most_that_any_step_does(text: str, size: int) -> None:
    assert resources_of(text) == Resources(1, 1, size)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("4", "write 4MB or 4GB"),
        ("-4GB", "expected a size"),
        ("much", "expected a size"),
        ("[1]", "expected a size"),
        ("10B", "at least 1MB"),
    ],
)
def test_what_is_no_size_is_told_with_its_line(text: str, what: str) -> None:
    with pytest.raises(PlanError, match=what) as caught:
        resources_of(text)

    assert caught.value.problems[0].line == 4
