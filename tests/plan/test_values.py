"""Values that an asset could tell apart are not the same."""

from __future__ import annotations

import datetime
from itertools import combinations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alo.plan.changes import changed_line
from alo.plan.values import form, plan_form, same
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError

# In each row, all but those with None have been taken for equal somewhere.
LOOK_ALIKE = [
    [1, True, 1.0, "1", "1.0", "True", b"1"],
    [0, False, 0.0, -0.0, "", None, [], {}, (), set()],
    [datetime.date(2026, 3, 1), "2026-03-01", datetime.datetime(2026, 3, 1)],
    [{0: "a"}, {"0": "a"}, {False: "a"}, {0.0: "a"}],
    [float("nan"), "nan", float("inf"), "inf"],
    [2**53, float(2**53), 2**53 + 1, str(2**53)],
    [10**5000, 10**5000 + 1],
    [[1, 2], (1, 2), {1, 2}, "[1, 2]", [[1], 2], [1, [2]], ["1, 2"]],
    [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1}, [("a", 1), ("b", 2)]],
    [b"a", "a", ["a"], {"a"}, "é", "e\u0301"],
]


@pytest.mark.parametrize("values", LOOK_ALIKE, ids=range(len(LOOK_ALIKE)))
def test_what_looks_alike_is_not_the_same(values: list[object]) -> None:
    for one, other in combinations(values, 2):
        assert not same(one, other), (one, other)
    for value in values:
        assert same(value, value)
        assert not same([value], value)
        assert same({"x": [value]}, {"x": [value]})


def test_for_a_plan_a_tuple_is_a_list_and_the_order_of_keys_is_no_difference() -> None:
    assert plan_form((1, 2)) == plan_form([1, 2])
    assert plan_form({"a": 1, "b": {1, 2}}) == plan_form({"b": {2, 1}, "a": 1})
    assert plan_form({0: "a"}) != plan_form({"0": "a"})


def test_what_no_plan_can_say_is_not_even_the_same_as_itself() -> None:
    """Python's text for an array, say, leaves most of it out: better run once more."""

    class Array:
        def __repr__(self) -> str:
            return "[0 ... 0]"

    assert not same(Array(), Array())
    assert form([Array()]) != form([Array()])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(PLAIN, PLAIN)
def test_two_values_are_the_same_only_if_python_writes_them_alike(
    one: object, other: object
) -> None:
    assert same(one, other) == (repr(one) == repr(other))


@given(PLAIN)
def test_a_value_is_the_same_after_its_way_through_yaml(value: object) -> None:
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=False)

    assert same(yaml.safe_load(text), value)


def test_a_number_that_python_cannot_write_is_refused_where_it_stands() -> None:
    with pytest.raises(YamlError, match="put it in quotes") as caught:
        read_value(b"n: 0x1" + b"0" * 4000)

    assert caught.value.problem.line == 1
    assert read_value(b"n: 0x1" + b"0" * 900) == {"n": 16**900}


def test_a_change_tells_apart_what_it_changes() -> None:
    assert changed_line("a", 1, True) == "a: 1 -> true"
    assert changed_line("a", datetime.date(2026, 3, 1), "2026-03-01") == (
        "a: datetime.date(2026, 3, 1) -> '2026-03-01'"
    )
    assert changed_line("a", {0: "x"}, {"0": "x"}) == "a: {0: 'x'} -> {'0': 'x'}"
