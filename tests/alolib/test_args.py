"""``check_args``: defaults, required args, and every conversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alolib.errors import ArgsError

CONVERTED = [
    ("text", "str", "text"),
    (5, "str", "5"),
    (True, "str", "True"),
    ("a", "list", ["a"]),
    (5, "list", [5]),
    ({"a": 1}, "list", [{"a": 1}]),
    ([1, "b"], "list", [1, "b"]),
    ([1], "str", [1]),
    ([1], "int", [1]),
    ([], "bool", []),
    ("5", "int", 5),
    (" 5 ", "int", 5),
    (5.0, "int", 5),
    (True, "int", 1),
    ("0.5", "float", 0.5),
    (1, "float", 1.0),
    ("1e3", "float", 1000.0),
    (True, "bool", True),
    (False, "bool", False),
    ("True", "bool", True),
    ("yes", "bool", True),
    ("ON", "bool", True),
    ("1", "bool", True),
    (1, "bool", True),
    (1.0, "bool", True),
    ("False", "bool", False),
    ("no", "bool", False),
    ("oFf", "bool", False),
    (0, "bool", False),
    ("", "bool", False),
]


@pytest.mark.parametrize(("value", "type_name", "expected"), CONVERTED)
def test_a_value_is_converted(
    value: object, type_name: str, expected: object, make: Callable[..., Any]
) -> None:
    found = make(args={"key": value}).asset.check_args("key", chng_type=type_name)

    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        ("five", "int"),
        (2.5, "int"),
        ("2.5", "int"),
        ({}, "int"),
        (float("inf"), "int"),
        ("much", "float"),
        ("maybe", "bool"),
        (2, "bool"),
    ],
)
def test_a_value_that_does_not_convert_is_reported_with_key_value_and_type(
    value: object, type_name: str, make: Callable[..., Any]
) -> None:
    with pytest.raises(ArgsError) as caught:
        make(args={"depth": value}).asset.check_args("depth", chng_type=type_name)

    text = str(caught.value)
    for part in ("'depth'", repr(value), type(value).__name__, f"no {type_name}", "step 'train'"):
        assert part in text


def test_a_missing_arg_gives_the_default_converted(make: Callable[..., Any]) -> None:
    asset = make().asset

    assert asset.check_args("x") == ""
    assert asset.check_args("x", False, "3", "int") == 3
    assert asset.check_args("x", default=[], chng_type="list") == []
    assert asset.check_args("x", default="a", chng_type="list") == ["a"]
    assert asset.check_args("x", default=("a", "b"), chng_type="list") == ["a", "b"]


def test_a_default_that_does_not_convert_is_reported_with_the_line_of_the_asset(
    make: Callable[..., Any],
) -> None:
    with pytest.raises(ArgsError, match=r"(?s)default of the arg 'x'.*'three'.*test_args\.py:\d+"):
        make().asset.check_args("x", default="three", chng_type="int")


def test_a_blank_arg_is_missing_where_it_is_optional(make: Callable[..., Any]) -> None:
    assert make(args={"x": None}).asset.check_args("x", default="d") == "d"


def test_a_blank_arg_is_empty_text_where_it_is_required(make: Callable[..., Any]) -> None:
    asset = make(args={"x": None}).asset

    assert asset.check_args("x", is_required=True) == ""
    assert asset.check_args("x", is_required=True, chng_type="list") == [""]
    assert asset.check_args("x", is_required=True, chng_type="bool") is False
    with pytest.raises(ArgsError):
        asset.check_args("x", is_required=True, chng_type="int")


def test_a_missing_required_arg_is_reported_with_its_place_in_the_plan(
    make: Callable[..., Any],
) -> None:
    with pytest.raises(ArgsError) as caught:
        make("inference", "output").asset.check_args("y_column", is_required=True)

    text = str(caught.value)
    for part in (
        "'y_column' of step 'output'",
        "experimental_plan.yaml, user_parameters.inference_pipeline.output.args",
        "add '- y_column: VALUE'",
    ):
        assert part in text


def test_a_missing_required_arg_is_reported_with_the_nearest_that_is_there(
    make: Callable[..., Any],
) -> None:
    with pytest.raises(ArgsError, match="or correct 'y_colum'"):
        make(args={"y_colum": "a", "other": 1}).asset.check_args("y_column", is_required=True)


def test_an_unknown_type_is_reported_with_the_known_ones(make: Callable[..., Any]) -> None:
    with pytest.raises(ArgsError, match=r"(?s)'set'.*list, str, int, float, bool"):
        make(args={"x": 1}).asset.check_args("x", chng_type="set")
    with pytest.raises(ArgsError, match="no type"):
        make(args={"x": 1}).asset.check_args("x", chng_type=["int"])


def test_load_args_gives_a_copy(make: Callable[..., Any]) -> None:
    asset = make(args={"x": [1]}).asset

    asset.load_args()["x"].append(2)

    assert asset.load_args() == {"x": [1]}
    assert make().asset.load_args() == {}


def test_a_list_that_check_args_gives_is_a_copy(make: Callable[..., Any]) -> None:
    asset = make(args={"x": [1, [2]]}).asset

    asset.check_args("x")[1].append(3)

    assert asset.check_args("x") == [1, [2]]
