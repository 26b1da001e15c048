"""Whatever a file holds, it is a plan or it is refused with what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import PlanError, Problem
from alo.plan.load import load_plan, parse_plan
from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Meaning = Callable[[Plan], Plan]
Told = Callable[[str | bytes], list[str]]


def test_solution_metadata_is_no_plan(reported: Told) -> None:
    assert reported("metadata_version: 1\nname: x\npipeline: [{type: train}]\n") == [
        "1:1  metadata_version  solution metadata, and no plan: give it to --system, next to the "
        "plan"
    ]


def test_every_problem_is_reported_at_once_in_the_order_of_lines(reported: Told) -> None:
    lines = reported(
        """\
        control: {backup_size: much}
        versoin: 1
        user_parameters:
          train_pipeline:
            - step: a b
              args: {x: 1, x: 2}
              timeout: 0
        """
    )

    assert [line.split("  ")[0] for line in lines] == ["1:24", "2:1", "5:13", "6:20", "7:16"]


def test_the_first_fifty_problems_are_shown_and_the_rest_counted(load: LoadText) -> None:
    with pytest.raises(PlanError) as caught:
        load("".join(f"key{n}: 1\n" for n in range(60)))

    assert len(caught.value.problems) == 60
    assert str(caught.value).endswith("\n... and 10 more problems")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "the plan is empty"),
        (b"# nothing yet\n", "the plan is empty"),
        (b"- a\n- b\n", "1:1  expected a plan, which is a mapping of keys, found a list"),
        (b"hello\n", "1:1  expected a plan, which is a mapping of keys, found the text 'hello'"),
        (b"{}\n", "1:1  no pipeline: list the steps of train_pipeline, of inference_pipeline"),
        (b"user_parameters:\n", "1:17  user_parameters  no pipeline"),
        (b"user_parameters:\n  - train_pipeline:\n", "2:3  user_parameters  no pipeline"),
    ],
)
def test_a_file_that_says_no_plan_is_refused(reported: Told, text: bytes, what: str) -> None:
    assert what in reported(text)[0]


def test_a_plan_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path / "plan.yaml", home=tmp_path)

    assert "plan.yaml  there is no plan here" in str(caught.value)
    assert "alo init" in str(caught.value)


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="a folder, not a plan"):
        load_plan(tmp_path, home=tmp_path)


def test_a_plan_without_permission_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # root, who runs many a CI, may read every file

    with pytest.raises(PlanError, match="cannot be read: Permission denied"):
        load_plan(tmp_path / "plan.yaml", home=tmp_path)


def test_a_path_that_no_file_can_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan(tmp_path / "a\0b", home=tmp_path)


WORDS = st.sampled_from(
    [
        *("name", "version", "external_path", "load_train_data_path", "user_parameters", "step"),
        *("train_pipeline", "inference_pipeline", "asset_source", "source", "code", "control"),
        *("args", "ui_args", "ui_args_detail", "type", "range", "backup_size", "timeout"),
        *(
            ": ",
            "- ",
            "\n",
            "\n  ",
            "\n    - ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "<<: ",
            "*a",
            "&a ",
            "\t",
        ),
        *("!!python/name:os.system ", "!!set ", "!!pairs ", "'", '"', "#", "|\n ", "2024-13-01"),
        *("True", "None", "~", "1", "-1.5", ".nan", "1:30", "\ud55c\uae00", "\ufeff", "\x00"),
    ]
)


def plan_or_problems(text: bytes) -> Plan | tuple[Problem, ...]:
    home = Path("project")
    try:
        return parse_plan(text, path=home / "plan.yaml", home=home)
    except PlanError as error:
        return error.problems


@given(st.binary(max_size=200) | st.lists(WORDS, max_size=60).map("".join).map(str.encode))
def test_any_bytes_are_a_plan_or_a_plan_error(text: bytes) -> None:
    assert plan_or_problems(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab:#'\"\n \u00e9", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_any_value_in_any_place_is_a_plan_or_a_plan_error(value: object) -> None:
    for outline in (
        {"user_parameters": value},
        {"user_parameters": {"train_pipeline": value}},
        {"user_parameters": {"train_pipeline": [value]}},
        {"user_parameters": {"train_pipeline": [{"step": value}]}, "ui_args_detail": value},
        {"user_parameters": {"train_pipeline": [{"step": "a", "args": value, "ui_args": value}]}},
        {"control": value, "external_path": value, "asset_source": {"train_pipeline": value}},
    ):
        assert plan_or_problems(yaml.safe_dump(outline).encode())


@given(args=st.dictionaries(st.text("abc_1", min_size=1, max_size=4), PLAIN, max_size=4))
def test_args_mean_the_same_in_both_forms(args: dict[str, object], meaning: Meaning) -> None:
    plans = []
    for form in (args, [{name: value} for name, value in args.items()]):
        outline = {"user_parameters": {"train_pipeline": [{"step": "a", "args": form}]}}
        plans.append(plan_or_problems(yaml.safe_dump(outline).encode()))

    one, other = plans
    assert isinstance(one, Plan)
    assert isinstance(other, Plan)
    assert meaning(one) == meaning(other)
    assert one.train is not None
    assert one.train.steps[0].args == args
