"""Run ids, param ids and times."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.history.ids import is_utc_text, new_run_id, param_id, start_in_name, utc_text


def test_a_run_id_tells_start_and_solution() -> None:
    run_id = new_run_id("유방암 test/1", 0.9)

    assert re.fullmatch(r"19700101T000000Z-\d{8}-유방암-test-1", run_id)
    assert start_in_name(run_id) == "1970-01-01T00:00:00.000000Z"


def test_the_id_of_no_run_ends_like_the_entry_of_a_failed_one() -> None:
    assert not new_run_id("type-error", 0).endswith("-error")


def test_two_runs_of_the_same_second_have_different_ids() -> None:
    assert new_run_id("demo", 0) != new_run_id("demo", 0)


def test_a_long_name_still_fits_a_file_system() -> None:
    assert len(f".{new_run_id('가' * 500, 0)}-error.0123abcd.building".encode()) <= 255


@given(st.integers(0, 4 * 10**15))
def test_times_are_kept_to_the_microsecond_and_sort_as_text(micro: int) -> None:
    text = utc_text(micro / 1e6)

    assert is_utc_text(text)
    assert text <= utc_text((micro + 10) / 1e6)


def test_a_time_close_to_the_next_second_is_not_rounded_to_sixty() -> None:
    assert utc_text(59.9999999) == "1970-01-01T00:01:00.000000Z"


def test_the_order_of_args_makes_no_difference() -> None:
    one = param_id({"a": {"x": 1, "y": {"p": [1], "q": None}}, "b": {}})
    other = param_id({"b": {}, "a": {"y": {"q": None, "p": [1]}, "x": 1}})

    assert one == other
    assert re.fullmatch(r"[0-9a-f]{12}", one)


@pytest.mark.parametrize("value", ["1", 1.0, True, None, [1], {"1": 1}, {1: 1}, "", b"1", 2])
def test_another_value_or_type_is_another_id(value: object) -> None:
    assert param_id({"a": {"x": value}}) != param_id({"a": {"x": 1}})
