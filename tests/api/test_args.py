"""What may be set as an arg of a step in a notebook, and what is made of it."""

from __future__ import annotations

import array
import enum
import json
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alo
from alo.api.args import Args, plan_value
from alo.errors import UsageError


class Color(enum.Enum):
    RED = "red"


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([[1.5], [2.5]]), [[1.5], [2.5]]),
        (np.array(3), 3),
        (np.float64(0.5), 0.5),
        (np.int32(7), 7),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (pd.Series(["a", "b"]), ["a", "b"]),
        (pd.Index([1, 2]), [1, 2]),
        (pd.Timestamp("2024-05-05 12:00"), datetime(2024, 5, 5, 12)),
        (array.array("i", [1, 2]), [1, 2]),
        ((1, (2, 3)), [1, [2, 3]]),
        (range(3), [0, 1, 2]),
        ({"b", "a"}, {"a", "b"}),
        (frozenset({1}), {1}),
        (OrderedDict(a=(1,)), {"a": [1]}),
        ({np.int64(1): "x"}, {1: "x"}),
        (Path("data/x.csv"), "data/x.csv"),
        (Color.RED, "red"),
        (Name("n"), "n"),
        ([None, True, 1, 1.5, "x", date(2024, 1, 1)], [None, True, 1, 1.5, "x", date(2024, 1, 1)]),
    ],
)
def test_a_value_becomes_what_a_plan_has_for_it(value: object, taken: object) -> None:
    args = Args("train", {})

    args["x"] = value

    assert args["x"] == taken
    assert type(args["x"]) is type(taken)


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1]}),
        pd.NaT,
        object(),
        print,
        json,
        1j,
        deque([1]),
        {"a": {"b": pd.DataFrame()}},
        [lambda: 1],
        {(print,): 1},
        {print: 1},
        type("T", (), {}),
        np.ndarray,
    ],
)
def test_what_a_plan_cannot_hold_is_refused_where_it_is_set(value: object) -> None:
    args = Args("train", {"x": 1})

    for set_it in (
        lambda: args.__setitem__("x", value),
        lambda: args.update(y=2, x=value),
        lambda: args.__ior__({"x": value}),
        lambda: args.setdefault("z", value),
    ):
        with pytest.raises(UsageError, match=r"arg '[xz]' of step 'train'"):
            set_it()

    assert args == {"x": 1}


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(UsageError, match="holds itself"):
        Args("train", {})["x"] = endless


@pytest.mark.parametrize("name", [1, None, "", ("a",)])
def test_an_arg_has_a_name_of_text(name: Any) -> None:
    with pytest.raises(UsageError, match="no text"):
        Args("train", {})[name] = 1


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_what_a_plan_can_hold_stays_as_it_is(value: object) -> None:
    assert repr(plan_value(value, "arg")) == repr(value)


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), ("1", 1), (0, None)])
def test_a_change_of_type_is_a_change(
    make_solution: Callable[..., Path], before: object, after: object
) -> None:
    home = make_solution({"train": ""}, args={"train": {"x": before}})
    pipeline = alo.Project(home, listener=lambda event: None).train

    pipeline["train"].args["x"] = after
    outcome = pipeline.run().save()

    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["overrides"]
    assert type(record["args"]["train"]["x"]) is type(after)


def test_arrays_reach_the_step_as_lists_however_deep_they_were_put(
    make_solution: Callable[..., Path],
) -> None:
    home = make_solution(
        {"train": "self.data['args'] = self.args"}, args={"train": {"x": [0], "y": {}}}
    )
    step = alo.Project(home, listener=lambda event: None).train["train"]

    step.args["x"] = np.array([1.0, 2.0])
    step.args["y"]["z"] = np.array([3])  # type: ignore[index]
    with step._pipeline:
        step.run()

        assert step.data["args"] == {"x": [1.0, 2.0], "y": {"z": [3]}}


def test_all_args_of_a_step_can_be_set_at_once(make_solution: Callable[..., Path]) -> None:
    home = make_solution({"train": "self.data['x'] = self.args['x']"}, args={"train": {"x": 1}})
    step = alo.Project(home, listener=lambda event: None).train["train"]

    step.args = {"x": (1, 2)}  # type: ignore[assignment]

    assert step.args == {"x": [1, 2]}
    with pytest.raises(UsageError):
        step.args = {"x": pd.DataFrame()}  # type: ignore[assignment]
    assert step.args == {"x": [1, 2]}
