"""``--set``: how it is read, and what it changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import UsageError
from alo.plan.model import Plan
from alo.plan.overrides import Override, apply_overrides, for_pipeline, parse_override

LoadText = Callable[[str | bytes], Plan]

PLAN = """\
user_parameters:
  train_pipeline:
    - {step: input, args: {columns: [a], model: {depth: 1}, a.b: 1}}
    - {step: train, args: {n_estimators: 100}}
  inference_pipeline:
    - {step: input, args: {columns: [a]}}
    - {step: inference, args: }
"""


def args(plan: Plan, kind: str, step: str) -> object:
    pipeline = plan.pipeline(kind)
    found = pipeline.step(step) if pipeline else None
    assert found is not None
    return found.args


@pytest.mark.parametrize(
    ("old", "shown"),
    [
        ("{1: a}", '{"1": "a"}'),
        ("{null: a}", '{"null": "a"}'),
        ("{2024-05-05: a}", "{datetime.date(2024, 5, 5): 'a'}"),
        ("[{!!binary aGk=: a}]", "[{b'hi': 'a'}]"),
        ("!!set {a}", "\"{'a'}\""),
    ],
)
def test_a_change_is_reported_whatever_the_keys_of_the_values_are(
    load: LoadText, old: str, shown: str
) -> None:
    plan = load(f"user_parameters: {{train_pipeline: [{{step: a, args: {{x: {old}}}}}]}}")

    other, (down,) = apply_overrides(plan, [parse_override("a.x=5")])
    _, (back,) = apply_overrides(other, [parse_override(f"a.x={old}")])

    assert down == f"train_pipeline.a.x: {shown} -> 5"
    assert back == f"train_pipeline.a.x: 5 -> {shown}"


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("input.columns=[1,2]", Override("", "input", "columns", [1, 2])),
        ("input.columns=", Override("", "input", "columns", None)),
        ("input.share=1.5", Override("", "input", "share", 1.5)),
        ("input.name=a b", Override("", "input", "name", "a b")),
        ("input.on=yes", Override("", "input", "on", True)),
        ("input.text='yes'", Override("", "input", "text", "yes")),
        ("input.text=None", Override("", "input", "text", "None")),
        ("input.text=a=b", Override("", "input", "text", "a=b")),
        ("input.map={a: 1}", Override("", "input", "map", {"a": 1})),
        (" input.share = 2", Override("", "input", "share", 2)),
        ("input.a.b=1", Override("", "input", "a.b", 1)),
        ("학습.깊이=3", Override("", "학습", "깊이", 3)),
        ("train.n=5", Override("", "train", "n", 5)),
        ("train.train.n=5", Override("train", "train", "n", 5)),
        ("train.input.n=5", Override("train", "input", "n", 5)),
        ("inference.inference.n=5", Override("inference", "inference", "n", 5)),
        ("train_pipeline.input.n=5", Override("train", "input", "n", 5)),
        ("train.input.a.b=5", Override("train", "input", "a.b", 5)),
    ],
)
def test_an_override_is_read(text: str, override: Override) -> None:
    assert parse_override(text) == override


@pytest.mark.parametrize("text", ["", "=", "a", "a=1", "a.b", ".b=1", "a.=1", "train..b=1"])
def test_what_is_no_override_is_reported_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_override(text)

    assert f"--set '{text}'" in caught.value.what
    assert caught.value.fix == "write step.key=value, or train.step.key=value for one pipeline"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a.b=[1", "a '[' is not closed"),
        ("a.b=@x", "put a value that starts with '@' in quotes"),
        ("a.b={x: 1, x: 2}", "the key is here twice"),
        ("a.b=!!python/name:os.system", "is not allowed"),
        ("a.b=2024-13-45", "looks like a date and is none"),
        ("a.b=\udcff", "not UTF-8 text"),
        ("a.b\ud800=1", "lone surrogate"),
        ("\ud800.b=1", "lone surrogate"),
        ("a.b=x\0", "NUL"),
        ('a.b="\\ud800"', "found invalid Unicode character"),
        (f"a.b={'[' * 900}", "nested"),
    ],
)
def test_a_value_that_is_no_yaml_is_an_error(text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_override(text)

    assert what in caught.value.what
    assert "put it in quotes" in caught.value.fix


def test_every_pipeline_that_has_the_step_is_changed(load: LoadText) -> None:
    plan, changes = apply_overrides(load(PLAN), [parse_override("input.columns=[b, c]")])

    assert args(plan, "train", "input") == {"columns": ["b", "c"], "model": {"depth": 1}, "a.b": 1}
    assert args(plan, "inference", "input") == {"columns": ["b", "c"]}
    assert changes == (
        'train_pipeline.input.columns: ["a"] -> ["b", "c"]',
        'inference_pipeline.input.columns: ["a"] -> ["b", "c"]',
    )


def test_one_pipeline_can_be_named(load: LoadText) -> None:
    before = load(PLAN)

    plan, changes = apply_overrides(before, [parse_override("inference.input.columns=")])

    assert plan.train == before.train
    assert args(plan, "inference", "input") == {"columns": None}
    assert changes == ('inference_pipeline.input.columns: ["a"] -> empty',)


def test_a_step_may_have_the_name_of_a_pipeline(load: LoadText) -> None:
    plan, changes = apply_overrides(
        load(PLAN), [parse_override("train.n_estimators=5"), parse_override("train.train.seed=1")]
    )

    assert args(plan, "train", "train") == {"n_estimators": 5, "seed": 1}
    assert changes == (
        "train_pipeline.train.n_estimators: 100 -> 5",
        "train_pipeline.train.seed: 1 (not in the plan)",
    )


def test_an_arg_that_may_be_misspelt_is_reported(load: LoadText) -> None:
    _, changes = apply_overrides(load(PLAN), [parse_override("train.n_estimatrs=5")])

    assert changes == (
        "train_pipeline.train.n_estimatrs: 5 (not in the plan, did you mean 'n_estimators'?)",
    )


def test_an_arg_may_have_dots_in_its_name(load: LoadText) -> None:
    plan, changes = apply_overrides(load(PLAN), [parse_override("input.a.b=2")])

    assert changes[0] == "train_pipeline.input.a.b: 1 -> 2"
    assert args(plan, "inference", "input") == {"columns": ["a"], "a.b": 2}


def test_a_mapping_is_set_whole(load: LoadText) -> None:
    with pytest.raises(UsageError, match="'model' is a mapping") as caught:
        apply_overrides(load(PLAN), [parse_override("input.model.depth=2")])

    assert caught.value.fix == "write input.model={key: value, ...}"


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("inptu.n=1", "no step 'inptu' in the plan", "did you mean 'input'?"),
        ("evaluate.n=1", "no step 'evaluate'", "there is input, train, inference"),
        ("train.inference.n=1", "no step 'inference' in train_pipeline", "there is input, train"),
    ],
)
def test_an_unknown_step_is_an_error(load: LoadText, text: str, what: str, fix: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply_overrides(load(PLAN), [parse_override(text)])

    assert what in caught.value.what
    assert caught.value.fix == fix


def test_a_pipeline_that_is_not_there_is_an_error(load: LoadText) -> None:
    plan = load("user_parameters: {train_pipeline: [{step: train}]}")

    with pytest.raises(UsageError, match="the plan has no inference_pipeline"):
        apply_overrides(plan, [parse_override("inference.train.n=1")])


def test_the_plan_that_was_given_stays_as_it_was(load: LoadText) -> None:
    before = load(PLAN)

    apply_overrides(before, [parse_override("train.n_estimators=5")])

    assert args(before, "train", "train") == {"n_estimators": 100}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("train.n=0.5", "train.train.n=0.5"),  # of the step that is called so
        ("input.n=0.5", "train.input.n=0.5"),
        ("train.input.n=5", "train.input.n=5"),
        ("train_pipeline.input.n=5", "train_pipeline.input.n=5"),
    ],
)
def test_an_override_is_made_one_of_a_single_pipeline(text: str, whole: str) -> None:
    assert for_pipeline(text, "train") == whole
    assert parse_override(whole).kind == "train"


@given(st.text(max_size=30))
def test_any_text_is_an_override_or_a_usage_error(text: str) -> None:
    try:
        override = parse_override(f"step.key={text}")
    except UsageError as error:
        reported = error.what
    else:
        reported = override.step
    assert reported
