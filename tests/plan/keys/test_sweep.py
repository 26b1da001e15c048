"""The plan's `sweep`: in both forms, and what is wrong with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.errors import PlanError
from alo.plan.load import parse_plan
from alo.plan.model import Plan, SweepParam, SweepPlan
from alo.plan.render import render_plan

HEAD = "name: p\nuser_parameters:\n  - train_pipeline:\n    - {step: train, args: {depth: 3}}\n"


def plan_of(text: str) -> Plan:
    return parse_plan((HEAD + text).encode(), path=Path("/p/plan.yaml"), home=Path("/p"))


MAPPING = """
sweep:
  metric: [f1, loss]
  direction: [max, min]
  sampler: tpe
  trials: 30
  seed: 7
  params:
    train.depth: {range: [2, 20], step: 2}
    train.rate: {range: [0.0001, 1.0], scale: log}
    train.kind: {choices: [a, [1, 2], null]}
"""
LIST = """
sweep:
  - metric: [f1, loss]
  - direction: [max, min]
  - sampler: tpe
  - trials: 30
  - seed: 7
  - params:
      - train.depth: {range: [2, 20], step: 2}
      - train.rate: {range: [0.0001, 1.0], scale: log}
      - train.kind: {choices: [a, [1, 2], null]}
"""
WANTED = SweepPlan(
    metric=("f1", "loss"),
    direction=("max", "min"),
    sampler="tpe",
    trials=30,
    seed=7,
    params={
        "train.depth": SweepParam(range=(2, 20), step=2),
        "train.rate": SweepParam(range=(0.0001, 1.0), scale="log"),
        "train.kind": SweepParam(choices=("a", [1, 2], None)),
    },
)


@pytest.mark.parametrize("text", [MAPPING, LIST])
def test_both_forms_say_the_same(text: str) -> None:
    assert plan_of(text).sweep == WANTED


def test_the_plan_as_it_ran_has_it() -> None:
    rendered = render_plan(plan_of(MAPPING), ["changed"]).decode()
    assert parse_plan(rendered.encode(), path=Path("/p/x"), home=Path("/p")).sweep == WANTED


def test_one_metric_needs_no_list_and_nothing_is_needed() -> None:
    assert plan_of("sweep:\n  metric: f1\n").sweep == SweepPlan(metric=("f1",))
    assert plan_of("").sweep is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("sweep:\n  params:\n    train.depth: {range: [5, 2]}\n", 7, "smaller number comes first"),
        ("sweep:\n  params:\n    train.depth: {}\n", 7, "a range or choices"),
        ("sweep:\n  params:\n    train.depth: {range: [1, 2], choices: [1]}\n", 7, "one of them"),
        ("sweep:\n  params:\n    train.depth: {choices: [1], step: 1}\n", 7, "for a range"),
        ("sweep:\n  params:\n    train.depth: {range: [1, 2], step: 0}\n", 7, "above 0"),
        ("sweep:\n  sampler: luck\n", 6, "luck"),
        ("sweep:\n  trials: 0\n", 6, "at least 1"),
        ("sweep:\n  direction: up\n", 6, "'up' is not max or min"),
        ("sweep:\n  metric: f1\n  direction: [max, min]\n", 7, "more directions than metrics"),
        ("sweep:\n  metrik: f1\n", 6, "did you mean 'metric'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PlanError) as raised:
        plan_of(text)
    (problem,) = raised.value.problems
    assert (problem.line, said in problem.what) == (line, True), problem


def test_a_ui_arg_may_be_on_a_log_scale() -> None:
    text = "ui_args_detail:\n  - train_pipeline:\n    - step: train\n      args:\n"
    arg = "        - {name: depth, type: int, range: [1, 64], scale: log}\n"
    (found,) = plan_of(text + arg).ui_args_detail["train"]["train"]
    assert found.scale == "log"
