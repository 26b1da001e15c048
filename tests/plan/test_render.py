"""A plan back to YAML."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alo.plan.load import parse_plan
from alo.plan.model import (
    Aggregate,
    Alarm,
    Control,
    ExternalPaths,
    PipelinePlan,
    Plan,
    Resources,
    Source,
    StepPlan,
    UiArg,
)
from alo.plan.overrides import Override, apply_overrides
from alo.plan.render import render_plan

LoadText = Callable[[str | bytes], Plan]
Meaning = Callable[[Plan], Plan]
HOME = Path("/project")


def plan_of(*steps: StepPlan, **fields: Any) -> Plan:
    usual: dict[str, Any] = {
        "path": HOME / "plan.yaml",
        "text": b"",
        "name": "test",
        "version": "",
        "external": ExternalPaths(),
        "aws_key_profile": "",
        "train": PipelinePlan("train", steps),
        "inference": None,
        "control": Control(),
        "ui_args_detail": {},
    }
    return Plan(**usual | fields)


def read_again(plan: Plan, *changes: str) -> Plan:
    text = render_plan(plan, changes or ["a change"])
    return parse_plan(text, path=HOME / "plan.yaml", home=HOME)


def test_how_shards_become_one_summary_is_rendered_where_the_plan_says_it() -> None:
    control = Control(aggregate=Aggregate("max", "most"))

    plan = read_again(plan_of(StepPlan("a", {}), control=control))

    assert plan.control == control
    assert b"aggregate" not in render_plan(plan_of(StepPlan("a", {})), ["a change"])


def test_a_plan_without_changes_is_the_file_as_it_was(load: LoadText) -> None:
    text = b"# a comment\nuser_parameters: {train_pipeline: [{step: a}]}\r\n"

    assert render_plan(load(text), ()) == text


def test_a_changed_plan_says_what_was_changed(load: LoadText, meaning: Meaning) -> None:
    plan = load("name: x\nuser_parameters: {train_pipeline: [{step: a, args: {n: 1}}]}")
    plan, changes = apply_overrides(plan, [Override("", "a", "n", [2, "two"])])

    text = render_plan(plan, changes).decode()

    header = "# The plan as it ran. Changed for this run:"
    assert text.startswith(f'{header}\n#   train_pipeline.a.n: 1 -> [2, "two"]\nname: x\n')
    assert meaning(read_again(plan, *changes)) == meaning(plan)


def test_a_change_stays_on_its_comment_line(meaning: Meaning) -> None:
    plan = plan_of(StepPlan("a", {}))

    assert meaning(read_again(plan, "a: \n- b\u2028 \x07 \udcff: c")) == meaning(plan)


def test_pipelines_are_found_by_position() -> None:
    both = plan_of(
        StepPlan("a", {"x": 1}), inference=PipelinePlan("inference", (StepPlan("b", {}),))
    )

    document = yaml.safe_load(render_plan(both, ["a change"]))

    assert document["user_parameters"][1]["inference_pipeline"][0]["step"] == "b"
    assert document["user_parameters"][0]["train_pipeline"][0]["args"] == [{"x": 1}]


def test_every_field_is_kept(meaning: Meaning) -> None:
    source = Source("https://x/y.git", "v1", "sub", ("pandas", "requirements.txt"))
    detail = UiArg("x", "single_selection", "two\nlines", "a", ("a", 1, None))
    number = UiArg("y", "float", range=(0.5, 2))
    plan = plan_of(
        StepPlan("b", {"x": 1, "y": 2}, ("x",), source, False, "process", "isolated", 1.5, 3),
        StepPlan("a", {}),
        name="007",
        version="1.10",
        external=ExternalPaths(("a", "b"), ("c",), "d", "e", "f"),
        aws_key_profile="me",
        inference=PipelinePlan("inference", (StepPlan("a", {}),)),
        control=Control("every", False, False, 0.5, "file", "zip", True),
        ui_args_detail={"train": {"b": (detail, number), "a": ()}},
    )

    assert meaning(read_again(plan)) == meaning(plan)


def test_a_step_that_shares_the_code_of_the_other_pipeline_stays_local(
    load: LoadText, meaning: Meaning
) -> None:
    plan = load(
        """\
        user_parameters:
          train_pipeline: [{step: a}]
          inference_pipeline: [{step: a}]
        asset_source:
          train_pipeline: [{step: a, source: {code: https://x/y.git, branch: v1}}]
          inference_pipeline: [{step: a, source: {requirements: [pandas]}}]
        """
    )

    text = render_plan(plan, ["a change"])

    assert yaml.safe_load(text)["asset_source"][1]["inference_pipeline"][0]["source"] == {
        "code": "local",
        "branch": None,
        "path": None,
        "requirements": ["pandas"],
    }
    assert meaning(read_again(plan)) == meaning(plan)


def test_one_list_used_twice_is_written_twice(meaning: Meaning) -> None:
    columns = ["a", "b"]
    plan = plan_of(StepPlan("a", {"x": columns, "y": columns}))

    text = render_plan(plan, ["a change"])

    assert b"&" not in text
    assert meaning(read_again(plan)) == meaning(plan)


@pytest.mark.parametrize(
    "value",
    [
        {"a", "b"},
        b"\x00\xff",
        datetime.date(2024, 5, 5),
        datetime.datetime(2024, 5, 5, 12, tzinfo=datetime.timezone.utc),
        [("a", 1), ("a", 2)],
        {1: "a", 2.5: "b"},
        float("inf"),
        "yes",
        "1e3",
        "1.0",
        "=",
        "<<",
        "~",
        "!x",
        "a: b # c",
        "\x85\u2028\ufeff\U0001f600 한글\t\r\n",
    ],
)
def test_values_of_every_type_of_yaml_are_kept(value: object, meaning: Meaning) -> None:
    plan = plan_of(StepPlan("a", {"x": value}))

    assert meaning(read_again(plan)) == meaning(plan)


class Odd:
    def __repr__(self) -> str:
        return "Odd()"


class Scalar:
    """Like a NumPy number."""

    size = 1

    def item(self) -> int:
        return 5


@pytest.mark.parametrize(
    ("value", "read"),
    [(Odd(), "Odd()"), (Scalar(), 5), ((1, 2), [1, 2]), ("a\ud800", "a?"), ([Odd()], ["Odd()"])],
)
def test_a_value_that_yaml_has_no_word_for_is_kept_as_text(value: object, read: object) -> None:
    again = read_again(plan_of(StepPlan("a", {"x": value})))

    assert again.train is not None
    assert again.train.steps[0].args == {"x": read}


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.dates()
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.text("abcxyz한_-123", min_size=1, max_size=5)
LINES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=9).map(str.strip)
STEPS = st.builds(
    StepPlan,
    name=NAMES,
    args=st.dictionaries(st.text("ab.: #'한\n", min_size=1).filter(str.strip), PLAIN, max_size=3),
    cache=st.booleans(),
    isolation=st.sampled_from(["", "process"]),
    environment=st.sampled_from(["", "isolated"]),
    ui_args=st.just(()),
    timeout_s=st.none() | st.floats(0.001, 1e9),
    retries=st.integers(0, 9),
    resources=st.builds(
        Resources,
        st.just(0.0) | st.floats(0.1, 64),
        st.integers(0, 8),
        st.just(0) | st.integers(10**6, 10**12),
    ),
    source=st.builds(
        Source,
        code=st.sampled_from(["local", "git@x:y.git"]),
        branch=st.sampled_from(["", "main", "1.0"]),
        path=st.sampled_from(["", "a/b"]),
        requirements=st.lists(LINES.filter(bool), max_size=2).map(tuple),
        is_shared=st.just(False),
    ),
)


@given(
    steps=st.lists(STEPS, min_size=1, max_size=3, unique_by=lambda step: step.name),
    name=LINES.filter(bool),
    version=LINES,
    paths=st.lists(LINES.filter(bool), max_size=2),
)
@settings(max_examples=50)
def test_a_rendered_plan_reads_to_an_equal_plan(
    steps: list[StepPlan], name: str, version: str, paths: list[str], meaning: Meaning
) -> None:
    external = ExternalPaths(load_train_data_path=tuple(paths))
    plan = plan_of(*steps, name=name, version=version, external=external)

    assert meaning(read_again(plan)) == meaning(plan)


def test_the_alarm_is_in_it() -> None:
    alarm = Alarm(0.7, 50, 0.2, command="./notify.sh 'two words'")

    assert read_again(plan_of(StepPlan("train", {}), alarm=alarm)).alarm == alarm
