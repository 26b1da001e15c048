"""Search spaces: what may be typed, which values that means, and a grid of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.batch.sweep.space import (
    Choices,
    Domain,
    Param,
    Range,
    SpecError,
    args_of,
    form_of,
    grid_point,
    parse_spec,
    size_of,
)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("2..5", [2, 3, 4, 5]),
        ("2..10:3", [2, 5, 8]),
        ("-1..1", [-1, 0, 1]),
        ("0.0..0.3:0.1", [0, 0.1, 0.2, 0.3]),
        ("1..2:0.5", [1, 1.5, 2]),
        ("a,b", ["a", "b"]),
        ("1,2.5,true,null", [1, 2.5, True, None]),
        ("[1, 2],[3]", [[1, 2], [3]]),
        ("{a: 1},{a: 2}", [{"a": 1}, {"a": 2}]),
        ("'1..2',x", ["1..2", "x"]),
        (".,..,../a..b", [".", "..", "../a..b"]),
        ("7", [7]),
    ],
)
def test_what_is_typed_means_these_values(text: str, points: list[object]) -> None:
    assert points_of(parse_spec(text)) == points


def points_of(domain: Domain) -> list[object]:
    assert domain.count is not None
    return [domain.point(number) for number in range(domain.count)]


@pytest.mark.parametrize("text", ["2..20", "0.1..1.0", "1e-4..1e-1@log", "1..100@log"])
def test_a_range_is_typed_as_it_is_shown(text: str) -> None:
    parsed = parse_spec(text)
    assert parse_spec(parsed.text) == parsed


def test_whole_bounds_give_whole_numbers_and_others_do_not() -> None:
    assert parse_spec("1..3").at(0.5) == 2
    assert isinstance(parse_spec("1..3").at(0.5), int)
    assert isinstance(parse_spec("1..3.0").at(0.5), float)
    assert parse_spec("1..3.0").count is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5..2", "the wrong way round"),
        ("1..9:0", "above 0"),
        ("0..1@log", "above 0 to be @log"),
        ("-3..-1@log", "above 0 to be @log"),
        ("1..9:2@log", "both a step and @log"),
        ("0..9007199254740993", "between -9007199254740992 and"),
        ("0.0..1e400", "finite"),
        ("-1e308..1e308", "too far apart"),
        ("0.0..1.0:1e-13", "too small to tell its values apart"),
        ("1..b", "no range of numbers"),
        ("a..5", "no range of numbers"),
        ("..5", "no range of numbers"),
        ("1..", "no range of numbers"),
        ("0x10..0x20", "no range of numbers"),
        ("1_000..x", "no range of numbers"),
        (".inf..x", "no range of numbers"),
        ("1..5,7", "'1..5' is no value, and a range has no values beside it"),
        ("x, 0.1..0.2@log", "'0.1..0.2@log' is no value"),
        ("", "no value to choose from"),
        ("1,1", "there twice"),
        ("[1, 2", "not YAML"),
        ("2020-01-01,a", "in quotes"),
        (".nan", "in quotes"),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_why(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_spec(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "1.." + "b" * 100_000, "'" + "x" * 100_000])
def test_what_is_refused_is_quoted_in_short(text: str) -> None:
    with pytest.raises(SpecError) as reported:
        parse_spec(text)

    assert len(str(reported.value)) < 500


def test_one_and_true_and_one_point_nought_are_three_values() -> None:
    assert Choices((1, True, 1.0)).count == 3
    assert len({form_of({"a": 1}), form_of({"a": 1.0}), form_of({"a": True})}) == 3
    assert form_of({"a": 1, "b": 2}) == form_of({"b": 2, "a": 1})


def test_a_grid_has_every_point_exactly_once_in_order() -> None:
    params = [
        Param("train", "s", "a", parse_spec("1..3")),
        Param("train", "s", "b", Choices(("x", "y"))),
    ]
    points = [grid_point(params, number) for number in range(7)]
    assert [tuple(each.values()) if each else None for each in points] == [
        (1, "x"), (1, "y"), (2, "x"), (2, "y"), (3, "x"), (3, "y"), None,
    ]  # fmt: skip
    assert size_of(params) == 6


@pytest.mark.parametrize("text", ["1..9007199254740992", "0.0..1.0:1e-9"])
def test_of_a_huge_range_only_the_values_that_are_asked_for_are_made(text: str) -> None:
    params = [Param("train", "s", name, parse_spec(text)) for name in ("a", "b")]
    size = size_of(params)
    assert size is not None
    last = grid_point(params, size - 1)
    assert last is not None
    assert last["s.a"] == params[0].domain.point(params[0].domain.count - 1)  # type: ignore[operator]
    assert grid_point(params, size) is None
    assert params[0].domain.at(0.5) == pytest.approx(params[0].domain.at(0.500001), rel=1e-5)


def test_a_range_without_a_step_has_no_grid() -> None:
    params = [Param("train", "s", "a", parse_spec("0.0..1.0"))]
    assert size_of(params) is None
    with pytest.raises(SpecError, match="a grid needs a step"):
        grid_point(params, 0)


def test_params_of_the_inference_pipeline_are_named_so() -> None:
    params = [
        Param("train", "s", "a.b", Choices((1,))),
        Param("inference", "t", "c", Choices((2,))),
    ]
    values = {param.name: param.domain.at(0) for param in params}
    assert values == {"s.a.b": 1, "inference.t.c": 2}
    assert args_of(params, values) == {"train": {"s": {"a.b": 1}}, "inference": {"t": {"c": 2}}}


@given(st.integers(-1000, 1000), st.integers(0, 1000), st.integers(1, 50), st.floats(0, 0.999999))
def test_a_value_by_chance_is_a_point_of_its_range(
    low: int, more: int, step: int, share: float
) -> None:
    domain = Range(low=low, high=low + more, step=step, is_whole=True)
    assert domain.at(share) in points_of(domain)


@given(st.floats(1e-9, 1e3), st.floats(1, 1e6), st.floats(0, 0.999999), st.booleans())
def test_a_value_by_chance_is_within_a_log_range(
    low: float, more: float, share: float, whole: bool
) -> None:
    if whole:
        low = max(1.0, float(round(low)))
        more = float(round(more))
    domain = Range(low=low, high=low * more, is_log=True, is_whole=whole)
    value = domain.at(share)
    assert isinstance(value, int if whole else float)
    assert low <= value <= low * more


def test_a_log_range_may_be_wider_than_any_number() -> None:
    assert parse_spec("1e-300..1e300@log").at(0.5) == pytest.approx(1)
