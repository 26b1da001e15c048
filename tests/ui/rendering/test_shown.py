"""Values as people read them."""

from __future__ import annotations

import pytest

from alo.ui.rendering.shown import duration, number, short, size


@pytest.mark.parametrize(
    ("run_id", "seen"),
    [
        ("20261130T071843Z-06157955-breast-cancer", "20261130T071843Z-06157955"),
        ("20261130T071843Z-06157955", "20261130T071843Z-06157955"),
        ("by-hand", "by-hand"),
        ("odd", "odd"),
    ],
)
def test_a_run_is_named_without_what_all_runs_share(run_id: str, seen: str) -> None:
    assert short(run_id) == seen


@pytest.mark.parametrize(
    ("seconds", "seen"),
    [(0.012, "12 ms"), (3.4, "3.4 s"), (125, "2 min 05 s"), (7260, "2 h 01 min"), (None, "")],
)
def test_spans_of_time_have_the_unit_that_fits(seconds: object, seen: str) -> None:
    assert duration(seconds) == seen


@pytest.mark.parametrize(("value", "seen"), [(1.0, "1"), (0.0, "0"), (7, "7"), (None, "")])
def test_zero_is_a_number_and_none_is_nothing(value: object, seen: str) -> None:
    assert number(value) == seen


@pytest.mark.parametrize(
    ("count", "seen"), [(0, "0 B"), (1500, "1.5 kB"), (2_000_000_000_000, "2000.0 GB")]
)
def test_sizes_have_the_unit_that_fits(count: object, seen: str) -> None:
    assert size(count) == seen
