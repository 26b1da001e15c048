"""How a change of a plan is changed_line: in one line, without passwords, never as no change."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest

from alo.plan.changes import MAX_SHOWN, changed_line, is_unplanned, unplanned_line, with_args
from alo.plan.model import Plan


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (1, 2, "k: 1 -> 2"),
        (None, "a", 'k: empty -> "a"'),
        ("a", "", 'k: "a" -> empty'),
        ([1, {"a": "한"}], True, 'k: [1, {"a": "한"}] -> true'),
    ],
)
def test_both_values_are_shown(old: object, new: object, line: str) -> None:
    assert changed_line("k", old, new) == line


def test_values_that_look_the_same_are_reported_apart() -> None:
    line = changed_line("k", datetime.date(2026, 1, 1), "2026-01-01")

    before, after = line.removeprefix("k: ").split(" -> ")
    assert before != after


def test_what_json_has_no_form_for_is_shown_all_the_same() -> None:
    assert "2026" in changed_line("k", 1, {datetime.date(2026, 1, 1): 2})


def test_a_long_value_is_cut_and_a_password_is_hidden() -> None:
    line = changed_line("k", 1, "x" * 1000)

    assert len(line) == len("k: 1 -> ") + MAX_SHOWN
    assert line.endswith("...")
    assert "secret" not in changed_line("k", 1, "https://me:secret@host/a")


def test_an_arg_that_the_plan_leaves_out_may_be_a_slip_of_the_pen() -> None:
    line = unplanned_line("train.estimater", 5, "estimator")

    assert line == "train.estimater: 5 (not in the plan, did you mean 'estimator'?)"
    assert is_unplanned(line)
    assert is_unplanned(unplanned_line("k", 5))
    assert not is_unplanned(changed_line("k", 4, 5))


PLAN = """
    name: t
    user_parameters:
      train_pipeline:
        - step: a
          args: {n: 1}
        - step: b
          args: {n: 1}
"""


def test_other_args_are_those_of_the_steps_that_are_named_alone(
    load: Callable[[str], Plan],
) -> None:
    plan = load(PLAN)

    changed = with_args(plan, "train", {"b": {"n": 2}})

    assert changed.train is not None
    assert [dict(step.args) for step in changed.train.steps] == [{"n": 1}, {"n": 2}]
    assert with_args(plan, "inference", {"b": {"n": 2}}) == plan
