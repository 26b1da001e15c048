"""What may be set, and what is wrong with what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from alo.plan.model import UiArg
from alo.ui.arg_fields import ArgField, as_typed, from_form, from_json

DETAILS = {
    "int": UiArg("a", "int", range=(1, 9)),
    "float": UiArg("a", "float", range=(0, 1)),
    "string": UiArg("a", "string", range=(1, 3)),
    "single": UiArg("a", "single_selection", selectable=(1, "1", "b")),
    "multi": UiArg("a", "multi_selection", selectable=("x", "y")),
    "yaml": UiArg("a", "yaml"),
}


def field(kind: str, value: object = None) -> list[ArgField]:
    return [ArgField("s", "a", DETAILS[kind], value)]


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("int", " 7 ", 7),
        ("float", "0.5", 0.5),
        ("string", "abc", "abc"),
        ("single", "b", "b"),
        ("multi", "x\r\ny", ["x", "y"]),
        ("yaml", "{b: 1}", {"b": 1}),
        ("yaml", "null", None),
    ],
)
def test_what_is_typed_becomes_a_value_of_its_type(kind: str, typed: str, value: Any) -> None:
    chosen = from_form(field(kind, "other"), {"args.s.a": typed})

    assert (chosen.args, chosen.problems) == ({"s": {"a": value}}, [])


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("int", "x"), ("int", "10"), ("float", "0.5"), ("string", ""), ("single", "1"), ("yaml", "{")],
)
def test_a_field_shows_what_was_typed_right_or_wrong(kind: str, typed: str) -> None:
    (shown,) = as_typed(field(kind, "other"), {"args.s.a": typed})

    assert shown.text == typed
    assert as_typed(field(kind, 3), {}) == field(kind, 3)


def test_what_was_selected_stays_selected() -> None:
    (several,) = as_typed(field("multi", ["x"]), {"args.s.a": "\ny\nz"})
    assert [each.is_chosen for each in several.choices] == [False, True]
    (one,) = as_typed(field("single", 1), {"args.s.a": "b"})
    assert [each.is_chosen for each in one.choices] == [False, False, True]


def test_several_that_stay_as_they_were_are_not_chosen_and_none_can_be() -> None:
    now = field("multi", ["x", "y"])

    assert now[0].text == "x\ny"
    assert from_form(now, {"args.s.a": "\nx\ny"}).args == {}
    assert from_form(now, {"args.s.a": ""}).args == {"s": {"a": []}}
    assert from_form(field("multi"), {"args.s.a": ""}).args == {}


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("int", "x"),
        ("int", "10"),
        ("int", "1.5"),
        ("float", "nan"),
        ("float", "2"),
        ("string", "abcd"),
        ("string", ""),
        ("single", "c"),
        ("multi", "x\nz"),
        ("yaml", "{"),
    ],
)
def test_what_cannot_be_is_said_at_the_field(kind: str, typed: str) -> None:
    chosen = from_form(field(kind, "other"), {"args.s.a": typed})

    assert chosen.args == {}
    assert [each.field for each in chosen.problems] == ["args.s.a"]


def test_a_field_that_stays_as_it_was_is_not_chosen() -> None:
    assert from_form(field("int", 5), {"args.s.a": "5"}).args == {}
    assert from_form(field("int", 5), {}).args == {}


@pytest.mark.parametrize("value", [True, "7", 7.5, None, [7], 10])
def test_json_is_taken_by_the_same_rules(value: object) -> None:
    assert from_json(field("int"), {"s": {"a": value}}).problems
    assert from_json(field("int"), {"s": {"a": 7}}).args == {"s": {"a": 7}}


def test_only_what_the_plan_lets_a_ui_set_is_taken() -> None:
    (problem,) = from_json(field("int"), {"s": {"b": 1}}).problems

    assert (problem.field, problem.what) == ("args.s.b", "it is not in ui_args of that step")
