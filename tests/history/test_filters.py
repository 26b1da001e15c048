"""The options of ``alo history`` as values."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alo.errors import UsageError
from alo.history.filters import Param, parse_param, parse_since, value_text
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "param"),
    [
        ("train.depth=5", Param("train", "depth", 5)),
        ("train.rate = 0.5", Param("train", "rate", 0.5)),
        ("train.name='5'", Param("train", "name", "5")),
        ("train.on=true", Param("train", "on", True)),
        ("train.a.b=[1, x]", Param("train", "a.b", [1, "x"])),
        ("train.none=", Param("train", "none", None)),
        ("train.eq=a=b", Param("train", "eq", "a=b")),
    ],
)
def test_a_param_is_typed_as_yaml(text: str, param: Param) -> None:
    assert parse_param(text) == param


@given(st.from_regex(r"-?[0-9]{1,20}|[-_0-9a-fox.:+\u0663]{1,4}", fullmatch=True))
def test_a_number_is_what_a_plan_would_make_of_it(text: str) -> None:
    try:
        expected = read_value(text.encode())
    except YamlError:
        assume(False)
    value = parse_param(f"train.depth={text}").value

    assert (type(value), repr(value)) == (type(expected), repr(expected))


@pytest.mark.parametrize("text", ["", "train", "train=5", ".x=1", "train.=1", "train.x=[1"])
def test_what_is_no_param_is_reported(text: str) -> None:
    with pytest.raises(UsageError):
        parse_param(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01", "2026-05-01T00:00:00.000000Z"),
        ("2026-05-01T09:30", "2026-05-01T09:30:00.000000Z"),
        ("2026-05-01T09:30:00Z", "2026-05-01T09:30:00.000000Z"),
        ("2026-05-01T09:30:00+09:00", "2026-05-01T00:30:00.000000Z"),
        ("1d", "2025-12-31T00:00:00.000000Z"),
        ("12h", "2025-12-31T12:00:00.000000Z"),
        ("90 m", "2025-12-31T22:30:00.000000Z"),
        ("0.5w", "2025-12-28T12:00:00.000000Z"),
        ("99999999999w", "1970-01-01T00:00:00.000000Z"),
        ("0001-01-01", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_since_takes_dates_times_and_spans(text: str, moment: str) -> None:
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "7x", "-1d", "2026-13-01"])
def test_since_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_since(text, NOW)


def test_values_are_compared_as_people_mean_them() -> None:
    assert value_text(1) == value_text(1.0)
    assert value_text({"a": 1, "b": [2.0]}) == value_text({"b": [2], "a": 1.0})
    assert len({value_text(value) for value in (1, "1", True, None, "", [1])}) == 6
