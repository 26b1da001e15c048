"""Sections, lists of them, and args: both forms of a mapping, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

STEPS = "user_parameters: {train_pipeline: [{step: a}]}\n"


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("control: memory", "2:10  control  expected 'name: value', found the text 'memory'"),
        ("control: 5", "2:10  control  expected 'name: value', found the number '5'"),
        (
            "control: [backup_log]",
            "2:11  control  expected 'name: value', found the text 'backup_log': is a ':' missing?",
        ),
        (
            "control: [{backup_log: on}, {backup_log: off}]",
            "2:30  control.backup_log  the key is here twice (first on line 2): keep one",
        ),
        (
            "control: {backup_log: on, backup_log: off}",
            "2:27  control.backup_log  the key is here twice (first on line 2): keep one",
        ),
        ("control: [[{backup_log: on}]]", "2:11  control  expected 'name: value', found a list"),
        ("control: !mine {}", "2:10  control  the tag !mine is not allowed: write a plain value"),
    ],
)
def test_a_section_is_a_mapping_or_a_list_of_mappings(
    reported: Told, section: str, problem: str
) -> None:
    (line,) = reported(STEPS + section)

    assert line.startswith(problem)


@pytest.mark.parametrize("blank", ["", "~", "''", "[]", "{}", "[~]"])
def test_empty_args_are_no_args(load: LoadText, blank: str) -> None:
    plan = load(f"user_parameters:\n  train_pipeline:\n    - step: a\n      args: {blank}\n")

    assert plan.train is not None
    assert plan.train.steps[0].args == {}


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ("5", "4:13  user_parameters.train_pipeline[0].args  expected 'name: value'"),
        ("[x]", "4:14  user_parameters.train_pipeline[0].args  expected 'name: value'"),
        (
            "[{x: 1}, {x: 2}]",
            "4:23  user_parameters.train_pipeline[0].args.x  the key is here twice",
        ),
    ],
)
def test_args_have_names(reported: Told, args: str, problem: str) -> None:
    (line,) = reported(f"user_parameters:\n  train_pipeline:\n    - step: a\n      args: {args}\n")

    assert line.startswith(problem)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("a", "1:35  user_parameters.train_pipeline  expected a list of steps ('- step: ...')"),
        ("{step: a}", "1:35  user_parameters.train_pipeline  expected a list of steps"),
        (
            "[a]",
            "1:36  user_parameters.train_pipeline[0]  expected 'name: value', found the text 'a'",
        ),
        ("[~]", "1:36  user_parameters.train_pipeline[0]  expected a mapping with step, args"),
        ("[[{step: a}]]", "1:36  user_parameters.train_pipeline[0]  expected a mapping with step"),
        (
            "[{args: }]",
            "1:36  user_parameters.train_pipeline[0]  'step' is missing: the step's name",
        ),
        ("[{step: }]", "1:43  user_parameters.train_pipeline[0].step  'step' is empty: the step's"),
        ("[{step: [a]}]", "1:43  user_parameters.train_pipeline[0].step  expected a step's name"),
        ("[{step: on}]", "1:43  user_parameters.train_pipeline[0].step  expected a step's name, "),
    ],
)
def test_a_pipeline_is_a_list_of_steps(reported: Told, steps: str, problem: str) -> None:
    line = reported(f"user_parameters: {{train_pipeline: {steps}}}")[0]

    assert line.startswith(problem)
