"""Values of YAML from outside: what is refused, and how it is told."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alo.plan.model import Plan
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]

ARGS = "user_parameters:\n  train_pipeline:\n    - step: a\n      args:\n"


def args_of(plan: Plan) -> object:
    assert plan.train is not None
    return plan.train.steps[0].args


def test_nesting_that_people_write_is_fine(load: LoadText) -> None:
    assert args_of(load(ARGS + "        x: " + "[" * 48 + "]" * 48))


def laughs(inner: str) -> str:
    lines = [f"        a{n}: &a{n} {inner % ', '.join([f'*a{n - 1}'] * 9)}" for n in range(1, 12)]
    return "\n".join(["        a0: &a0 {x: 1, y: 2}", *lines])


@pytest.mark.parametrize(
    "text",
    [
        ARGS + laughs("[%s]"),
        ARGS + laughs("{<<: [%s]}"),
        ARGS + "        a: &a [" + "1," * 1000 + "]\n        b: [" + "*a," * 1000 + "]",
    ],
    ids=["lists", "merges", "wide"],
)
def test_aliases_that_explode_are_refused(reported: Told, text: str) -> None:
    (line,) = reported(text)

    assert "more than 200,000 values once its aliases (*name) are unfolded" in line


def test_anchors_aliases_and_merge_keys_work(load: LoadText) -> None:
    plan = load(
        """\
        user_parameters:
          train_pipeline:
            - step: a
              args: &usual
                columns: &columns [x, y]
                depth: 1
            - step: b
              args:
                <<: [*usual, {depth: 2, seed: 3}]
                seed: 4
                others: *columns
            - <<: {step: c, timeout: 5}
        """
    )

    assert plan.train is not None
    a, b, c = plan.train.steps
    assert a.args == {"columns": ["x", "y"], "depth": 1}
    assert b.args == {"columns": ["x", "y"], "depth": 1, "seed": 4, "others": ["x", "y"]}
    assert (c.name, c.timeout_s) == ("c", 5)


def test_values_that_share_an_anchor_are_separate_objects(load: LoadText) -> None:
    args = args_of(load(ARGS + "        - x: &x [1]\n        - y: *x"))

    assert isinstance(args, dict)
    assert args["x"] == args["y"]
    assert args["x"] is not args["y"]


def test_a_merge_of_something_else_is_a_problem(reported: Told) -> None:
    assert reported(ARGS + "        <<: [1]") == [
        "5:14  user_parameters.train_pipeline[0].args.<<  "
        "expected a mapping to merge, found the number '1'"
    ]


@pytest.mark.parametrize(
    ("value", "column", "key", "first"),
    [
        ("{b: 1, b: 2}", 19, "x.b", 5),
        ("[0, {b: {c: 1, c: 2}}]", 27, "x[1].b.c", 5),
        ("{1: a, 0x1: b}", 19, "x.1", 5),
    ],
)
def test_a_duplicate_key_deep_in_an_arg_is_a_problem(
    reported: Told, value: str, column: int, key: str, first: int
) -> None:
    assert reported(f"{ARGS}        x: {value}") == [
        f"5:{column}  user_parameters.train_pipeline[0].args.{key}  "
        f"the key is here twice (first on line {first}): keep one"
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system [touch ran]",
        "!!python/name:os.system ''",
        "!!python/tuple [1]",
        "!mine x",
        "!!str [x]",
        "!!map x",
    ],
)
def test_a_tag_beyond_plain_yaml_is_a_problem_and_never_run(
    reported: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    monkeypatch.chdir(tmp_path)

    assert reported(f"{ARGS}        x: {tag}") == [
        "5:12  user_parameters.train_pipeline[0].args.x  "
        f"the tag {tag.split()[0]} is not allowed: write a plain value"
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2024-13-45", "date"),
        ("!!int z", "number"),
        ("!!float z", "number"),
        ("!!bool z", "boolean"),
        ("9" * 5000, "number"),
    ],
)
def test_a_value_that_only_looks_like_its_type_is_a_problem(
    reported: Told, value: str, kind: str
) -> None:
    (line,) = reported(f"{ARGS}        x: {value}")

    assert line.startswith("5:12  user_parameters.train_pipeline[0].args.x  '")
    assert f"looks like a {kind} and is none: put it in quotes if it is text" in line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", "None"),
        ("yes", True),
        ("'yes'", "yes"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0o7", "0o7"),
        ("010", 8),
        ("1:30", 90),
        ("1e3", "1e3"),
        ("1.0e+3", 1000.0),
        ("=", "="),
        ("<<", "<<"),
        ("2024-05-05", datetime.date(2024, 5, 5)),
        ("!!binary aGk=", b"hi"),
        ("!!set {a, b}", {"a", "b"}),
        ("!!pairs [a: 1, a: 2]", [("a", 1), ("a", 2)]),
        ("!!omap [a: 1, b: 2]", [("a", 1), ("b", 2)]),
        ("{null: 1, 'null': 2}", {None: 1, "null": 2}),
        ("{~: [null]}", {None: [None]}),
        ("{1: a, true: b, 2024-05-05: c}", {1: "a", datetime.date(2024, 5, 5): "c"}),
        ("'한글 é 😀'", "한글 é 😀"),
    ],
)
def test_values_are_those_of_yaml_1_1(text: str, value: object) -> None:
    if text.startswith("{1"):
        text = text.replace("true: b, ", "")  # 1 and true are one key to Python

    assert read_value(text.encode()) == value


@pytest.mark.parametrize("text", ["{? : 1}", "a: {b: {? : 1}}"])
def test_a_key_of_a_value_that_is_missing_is_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="a key is missing before the ':'"):
        read_value(text.encode())


@pytest.mark.parametrize("text", ["a: {[1]: 2}", "a: {{b: 1}: 2}"])
def test_a_key_that_is_no_plain_value_is_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="a key has to be a plain value, found a"):
        read_value(text.encode())


@pytest.mark.parametrize("text", ["!!pairs [a]", "!!omap [{a: 1, b: 2}]"])
def test_pairs_that_are_none_are_a_problem(text: str) -> None:
    with pytest.raises(YamlError, match="is a list of one-key mappings"):
        read_value(text.encode())


def test_a_name_is_what_is_written(load: LoadText) -> None:
    assert args_of(load(ARGS + "        on: 1\n        2: 3\n")) == {"on": 1, "2": 3}


@pytest.mark.parametrize("text", ["        '': 1", "        [a]: 1", "        ~: 1\n        : 2"])
def test_a_name_that_is_missing_is_a_problem(reported: Told, text: str) -> None:
    assert reported(ARGS + text)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_reading_agrees_with_the_safe_loader(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=False, sort_keys=False)

    assert read_value(text.encode()) == yaml.safe_load(text)
