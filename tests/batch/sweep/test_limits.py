"""How many trials of a sweep may fail."""

from __future__ import annotations

import pytest

from alo.batch.sweep.limits import Limits


@pytest.mark.parametrize(
    ("most", "trials", "borne"), [(None, 10, 3), (None, 200, 20), (0, 200, 0), (7, 10, 7)]
)
def test_a_tenth_may_fail_and_at_least_three_or_as_many_as_is_said(
    most: int | None, trials: int, borne: int
) -> None:
    assert Limits(trials=trials, max_failures=most).failures(trials) == borne
