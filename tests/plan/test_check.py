"""Rules that look at more than one key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]


def test_a_step_appears_once_in_a_pipeline(reported: Told) -> None:
    lines = reported(
        """\
        user_parameters:
          train_pipeline:
            - step: a
            - step: b
            - step: a
          inference_pipeline:
            - step: a
        """
    )

    assert lines == [
        "5:13  user_parameters.train_pipeline[2].step  step 'a' is here twice (first on line 3): "
        "give one of them another name, such as a2"
    ]


def test_asset_source_and_user_parameters_name_the_same_steps(reported: Told) -> None:
    lines = reported(
        """\
        user_parameters:
          train_pipeline:
            - step: input
            - step: train
        asset_source:
          - train_pipeline:
            - step: trian
            - step: input
            - step: input
          - inference_pipeline:
            - step: output
        """
    )

    assert lines == [
        "4:13  user_parameters.train_pipeline[1].step  step 'train' is missing in "
        "asset_source.train_pipeline: add it there, or leave that pipeline out there if all its "
        "steps are local",
        "7:13  asset_source.train_pipeline[0].step  no step 'trian' in "
        "user_parameters.train_pipeline; did you mean 'train'?",
        "9:13  asset_source.train_pipeline[2].step  step 'input' is here twice (first on line 8): "
        "give one of them another name, such as input2",
        "11:13  asset_source.inference_pipeline[0].step  no step 'output' in "
        "user_parameters.inference_pipeline; there is none",
    ]


def test_a_misspelt_step_is_reported_once(reported: Told) -> None:
    lines = reported(
        """\
        user_parameters:
          train_pipeline: [{step: a b}]
        asset_source:
          train_pipeline: [{step: a b}]
        """
    )

    assert [line.split("  ")[0] for line in lines] == ["2:27", "4:27"]


@pytest.mark.parametrize("left_out", [False, True])
def test_a_step_that_is_local_in_one_pipeline_only_is_reported_where_its_code_comes_from(
    load: LoadText, left_out: bool
) -> None:
    local = "" if left_out else "  inference_pipeline: [{step: a, source: {requirements: [x]}}]\n"
    plan = load(
        "user_parameters:\n"
        "  train_pipeline: [{step: a}]\n"
        "  inference_pipeline: [{step: a}]\n"
        "asset_source:\n"
        "  train_pipeline:\n"
        "    - step: a\n"
        "      source:\n"
        "        code: https://x/y.git\n"
        "        branch: v1\n" + local
    )

    (warning,) = plan.warnings
    assert warning.what == (
        "step 'a' is local here, and from git in train_pipeline (line 8): they share a folder, "
        "and what is fetched serves both"
    )
    assert warning.line == (3 if left_out else 10)
    assert plan.inference is not None
    source = plan.inference.steps[0].source
    assert (source.code, source.branch, source.is_shared) == ("https://x/y.git", "v1", True)
    assert source.requirements == (() if left_out else ("x",))
    problem = plan.source_problem(plan.inference.steps[0], "cannot be read")
    assert (problem.line, problem.key) == (8, "asset_source.train_pipeline[0].source.code")


def step_with(ui: str, detail: str = "") -> str:
    plan = f"user_parameters:\n  train_pipeline:\n    - {{step: a, {ui}}}\n"
    section = (
        f"ui_args_detail:\n  train_pipeline:\n    - step: a\n      args:\n        - {{{detail}}}\n"
    )
    return plan + (section if detail else "")


def test_ui_args_name_args(warned: Told) -> None:
    assert warned(step_with("args: {depth: 1, seed: 2}, ui_args: [seed, dept]")) == [
        "3:60  user_parameters.train_pipeline[0].ui_args[1]  step 'a' has no arg 'dept'; "
        "did you mean 'depth'?"
    ]


def test_one_ui_arg_needs_no_list(warned: Told) -> None:
    (line,) = warned(step_with("args: {depth: 1}, ui_args: dept"))

    assert line.startswith("3:44  user_parameters.train_pipeline[0].ui_args  step 'a' has no arg")


def test_ui_args_without_their_dashes_are_reported_as_such(warned: Told) -> None:
    (line,) = warned(
        """\
        user_parameters:
          train_pipeline:
            - step: a
              args: {depth: 1, seed: 2}
              ui_args:
                - depth
                  seed
        """
    )

    assert line == (
        "6:11  user_parameters.train_pipeline[0].ui_args[0]  step 'a' has no arg 'depth seed': "
        "several names are a list, each after a '-' of its own"
    )


@pytest.mark.parametrize(
    "text",
    [
        step_with("args: , ui_args: [anything]"),
        step_with("args: {x: 1}, ui_args: [y]", "name: y, type: int"),
        step_with("args: {x: }, ui_args: [x]", "name: x, type: int, default: , range: "),
    ],
)
def test_an_operator_may_set_an_arg_that_the_plan_leaves_out(load: LoadText, text: str) -> None:
    assert load(text).warnings == ()


@pytest.mark.parametrize(
    ("detail", "problem"),
    [
        ("type: int", "|  'name' is missing: name of the arg."),
        ("name: depth", "|  'type' is missing: one of int, float, string, single_selection"),
        ("name: depth, type: ", "|.type  'type' is empty: one of int, float"),
        (
            "name: depth, type: itn",
            "|.type  expected one of int, float, string, single_selection, ",
        ),
        (
            "name: depth, type: int, range: [9, 1]",
            "|.range  the smaller number comes first: [1, 9]",
        ),
        ("name: depth, type: int, range: 9", "|.range  expected two numbers like [1, 100], found "),
        ("name: depth, type: int, range: [1, ~]", "|.range  expected two numbers like [1, 100]"),
        ("name: depth, type: int, range: [a, 1]", "|.range[0]  expected a number, found the text"),
        (
            "name: depth, type: single_selection, selectable: 1",
            "|.selectable  expected a list like [a, b], found the number '1'",
        ),
        ("name: depth, type: int, description: [a]", "|.description  expected text, found a list"),
    ],
)
def test_a_ui_arg_that_does_not_fit_is_reported_and_stops_no_run(
    warned: Told, detail: str, problem: str
) -> None:
    line = warned(step_with("args: {depth: 1}", detail))[0]

    place, key, what = line.split("  ")
    at = "ui_args_detail.train_pipeline[0].args[0]"
    assert place.startswith("8:")
    assert f"{key}  {what}".startswith(problem.replace("|", at))


def test_of_a_ui_arg_only_what_does_not_fit_is_left_out(load: LoadText) -> None:
    plan = load(
        """\
        user_parameters: {train_pipeline: [{step: a, args: {x: 1, y: 2}, ui_args: [x, {y: }]}]}
        ui_args_detail:
          - train_pipeline:
            - step: a
              args: [{name: x, type: int, range: 1-9, default: 3}, {name: y, type: bool}]
        """
    )

    assert [(arg.name, arg.default, arg.range) for arg in plan.ui_args_detail["train"]["a"]] == [
        ("x", 3, None)
    ]
    assert plan.train is not None
    assert plan.train.steps[0].ui_args == ("x",)
    assert [warning.key.rpartition(".")[2] for warning in plan.warnings] == [
        "ui_args[1]",
        "range",
        "type",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (step_with("args: {x: 1}", "name: x, type: int, step: 1"), "unknown key 'step'"),
        (step_with("args: {x: 1}", "name: x, type: !a int"), "the tag !a is not allowed"),
        (step_with("args: {x: 1}", 'name: "x\\0", type: int'), "U+0000 is not allowed"),
        (step_with("args: {ui_args: {x: 1, x: 2}}"), "the key is here twice"),
        (step_with("args: {a: [{ui_args: {x: 1, x: 2}}]}"), "the key is here twice"),
    ],
)
def test_what_no_plan_may_have_is_a_problem_for_a_ui_too(
    reported: Told, text: str, problem: str
) -> None:
    (line,) = reported(text)

    assert problem in line


@pytest.mark.parametrize(
    ("detail", "warning"),
    [
        ("name: dept, type: int", "|.name  step 'a' has no arg 'dept'; did you mean 'depth'?"),
        (
            "name: unheard, type: int",
            "|.name  step 'a' has no arg 'unheard' in this plan: a UI may add it",
        ),
        ("name: depth, type: int, selectable: [1]", "|.selectable  type int has 'range' instead"),
        (
            "name: depth, type: single_selection",
            "|  a single_selection needs 'selectable', the list of values to choose from",
        ),
        (
            "name: depth, type: multi_selection, selectable: [1], range: [1, 2]",
            "|.range  a multi_selection has 'selectable' instead",
        ),
    ],
)
def test_what_a_ui_could_not_offer_or_nobody_takes_is_a_warning(
    warned: Told, detail: str, warning: str
) -> None:
    (line,) = warned(step_with("args: {depth: 1}", detail))

    at = "ui_args_detail.train_pipeline[0].args[0]"
    assert line.partition("  ")[2] == warning.replace("|", at)


@pytest.mark.parametrize("kind", ["single_selection", "multi_selection"])
@pytest.mark.parametrize(
    ("chosen", "choices"),
    [
        ("selected: [x, y]", ("x", "y")),
        ("selectable: [x], selected: [x, y]", ("x",)),
        ("selectable: , selected: [x, y]", ("x", "y")),
    ],
)
def test_selected_is_taken_where_selectable_is_missing(
    load: LoadText, kind: str, chosen: str, choices: tuple[str, ...]
) -> None:
    plan = load(step_with("args: {depth: 1}", f"name: depth, type: {kind}, default: x, {chosen}"))

    assert plan.warnings == ()
    assert plan.ui_args_detail["train"]["a"][0].selectable == choices


@pytest.mark.parametrize(
    ("detail", "warning"),
    [
        ("type: int, default: 1.5", "1.5 is not of type int"),
        ("type: float, default: true", "True is not of type float"),
        ("type: int, default: 9, range: [1, 5]", "9 is not within the range [1, 5]"),
        ("type: string, default: abc, range: [1, 2]", "'abc' is not within the range [1, 2]"),
        (
            "type: single_selection, default: z, selectable: [x, y]",
            "'z' is not in selectable: x, y",
        ),
        ("type: multi_selection, default: [x, z], selectable: [x]", "'z' is not in selectable: x"),
        ("type: multi_selection, default: z, selected: [x]", "'z' is not in selectable: x"),
        ("type: int, default: [9], range: [1, 5]", "9 is not within the range [1, 5]"),
        ("type: int, default: [1, 2]", "[1, 2] is not of type int"),
    ],
)
def test_a_default_that_a_ui_cannot_offer_is_a_warning(
    load: LoadText, detail: str, warning: str
) -> None:
    plan = load(step_with("args: {depth: 1}", f"name: depth, {detail}"))

    (told_warning,) = plan.warnings
    assert told_warning.what == warning
    assert (told_warning.line, told_warning.key) == (
        8,
        "ui_args_detail.train_pipeline[0].args[0].default",
    )


@pytest.mark.parametrize(
    "detail",
    [
        "type: float, default: 1, range: [0, 1.5]",
        "type: string, default: ab, range: [1, 2]",
        "type: string, default: '', range: [1, 2]",
        "type: single_selection, default: , selectable: [x]",
        "type: multi_selection, default: [], selectable: [x]",
        "type: multi_selection, default: x, selectable: [x], selected: [x]",
        "type: int, default: [3], range: [1, 5]",
        "type: float, default: [0.5]",
        "type: string, default: [abc], range: [1, 3]",
        "type: single_selection, default: [false], selectable: [true, false]",
    ],
)
def test_a_default_that_fits_is_fine(load: LoadText, detail: str) -> None:
    assert load(step_with("args: {depth: 1}", f"name: depth, {detail}")).warnings == ()


def test_ui_args_detail_names_steps(warned: Told) -> None:
    lines = warned(
        """\
        user_parameters: {train_pipeline: [{step: train}]}
        ui_args_detail:
          - train_pipeline: [{step: trian}]
          - inference_pipeline: [{step: train}]
        """
    )

    assert lines == [
        "3:29  ui_args_detail.train_pipeline[0].step  no step 'trian' in "
        "user_parameters.train_pipeline; did you mean 'train'?",
        "4:33  ui_args_detail.inference_pipeline[0].step  no step 'train' in "
        "user_parameters.inference_pipeline; there is none",
    ]


def test_a_step_may_be_described_in_two_parts(load: LoadText) -> None:
    plan = load(
        """\
        user_parameters: {train_pipeline: [{step: a, args: {x: 1, y: 2}}]}
        ui_args_detail:
          - train_pipeline:
            - {step: a, args: [{name: x, type: int}]}
            - {step: a, args: [{name: y, type: int}]}
        """
    )

    assert [arg.name for arg in plan.ui_args_detail["train"]["a"]] == ["x", "y"]
    assert plan.warnings == ()
