"""Values in the text of a plan: just they change, whatever form the plan has."""
# ruff: noqa: E501 - texts of plans

from __future__ import annotations

from pathlib import Path

import pytest

from alo.batch.sweep.apply import apply_args
from alo.batch.sweep.space import Param, parse_spec
from alo.errors import SweepError
from alo.plan.load import parse_plan
from alo.plan.model import Plan

HEAD = "name: p\n# above\nuser_parameters:\n  - train_pipeline:\n    - step: prep\n      args: {}\n"


def plan_of(args: str, end: str = "") -> Plan:
    text = f"{HEAD}    - step: train   # the step\n{args}{end}"
    return parse_plan(text.encode(), path=Path("/p/plan.yaml"), home=Path("/p"))


def applied(plan: Plan, **values: object) -> str:
    params = [Param("train", "train", key, parse_spec("1,2")) for key in values]
    changed = apply_args(plan, params, {f"train.{key}": each for key, each in values.items()})
    return changed.text.decode()


def changed_part(plan: Plan, **values: object) -> str:
    text = applied(plan, **values)
    before = plan.text.decode()
    start = before.index("the step") + len("the step\n")
    assert text[:start] == before[:start]
    return text[start:]


@pytest.mark.parametrize(
    ("args", "value", "wanted"),
    [
        ("      args:\n        depth: 3   # deep\n        b: x\n", 5,
         "      args:\n        depth: 5   # deep\n        b: x\n"),
        ("      args:\n        - b: x\n        - depth: 3\n", 5,
         "      args:\n        - b: x\n        - depth: 5\n"),
        ("      args: {b: x, depth: 3}  # all\n", 5, "      args: {b: x, depth: 5}  # all\n"),
        ("      args:\n        depth: 'x'\n", "y", "      args:\n        depth: 'y'\n"),
        ('      args:\n        depth: "x"\n', "y", '      args:\n        depth: "y"\n'),
        ("      args:\n        depth: x\n", "true", "      args:\n        depth: 'true'\n"),
        ("      args:\n        depth:    # none\n        b: 1\n", 5,
         "      args:\n        depth: 5    # none\n        b: 1\n"),
        ("      args:\n        depth:\n          - 1\n          - 2\n        # kept\n        b: 1\n",
         [3], "      args:\n        depth: [3]\n        # kept\n        b: 1\n"),
        ("      args:\n        depth: 3\n", 1e-05, "      args:\n        depth: 1.0e-05\n"),
        ("      args:\n        depth: 3\n", None, "      args:\n        depth: null\n"),
    ],
)  # fmt: skip
def test_a_value_is_replaced_and_nothing_else(args: str, value: object, wanted: str) -> None:
    assert changed_part(plan_of(args), depth=value) == wanted


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ("      args:\n        b: 1  # last\n", "      args:\n        b: 1  # last\n        depth: 5\n"),
        ("      args:\n        - b: 1\n", "      args:\n        - b: 1\n        - depth: 5\n"),
        ("      args: {b: 1}\n", "      args: {b: 1, depth: 5}\n"),
        ("      args: {}\n", "      args: {depth: 5}\n"),
        ("      args:\n", "      args: {depth: 5}\n"),
        ("      ui_args: [x]\n      args: {x: 1}\n", "      ui_args: [x]\n      args: {x: 1, depth: 5}\n"),
        ("", "      args: {depth: 5}\n"),
    ],
)  # fmt: skip
def test_an_arg_more_has_the_form_of_its_neighbours(args: str, wanted: str) -> None:
    assert changed_part(plan_of(args), depth=5) == wanted


def test_line_ends_and_a_mark_at_the_beginning_stay() -> None:
    text = f"\ufeff{HEAD}    - step: train\n      args:\n        depth: 3\n        b: é\n"
    written = text.replace("\n", "\r\n").encode()
    plan = parse_plan(written, path=Path("/p/plan.yaml"), home=Path("/p"))
    params = [Param("train", "train", "depth", parse_spec("1,2"))]
    changed = apply_args(plan, params, {"train.depth": 7}).text
    assert changed == written.replace(b"depth: 3", b"depth: 7")


def test_what_is_so_already_changes_nothing() -> None:
    plan = plan_of("      args:\n        depth: 3\n")
    params = [Param("train", "train", "depth", parse_spec("1,2"))]
    same = apply_args(plan, params, {"train.depth": 3})
    assert (same.text, same.changes) == (plan.text, [])


def test_a_step_that_is_gone_is_named() -> None:
    params = [Param("train", "gone", "depth", parse_spec("1,2"))]
    with pytest.raises(SweepError, match="has no step 'gone' any more"):
        apply_args(plan_of("      args: {}\n"), params, {"gone.depth": 3})


def test_args_that_two_steps_share_by_an_anchor_are_not_guessed_at() -> None:
    text = (
        "name: p\nuser_parameters:\n  - train_pipeline:\n    - step: prep\n      args: &both\n"
        "        depth: 3\n    - step: train\n      args: *both\n"
    )
    plan = parse_plan(text.encode(), path=Path("/p/plan.yaml"), home=Path("/p"))
    params = [Param("train", "train", "depth", parse_spec("1,2"))]
    with pytest.raises(SweepError, match="cannot be set"):
        apply_args(plan, params, {"train.depth": 7})
