"""Two models compared, as drawings of intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alo.gate.comparison import Comparison, ModelShare, compare
from alo.gate.verdict import GateSettings
from alo.ui.drawing.comparisons import LEFT, RIGHT, WIDTH, accuracy_chart, difference_chart

NOTHING = compare([], GateSettings(), old_run="a", new_run="b")
COMPARED = replace(
    NOTHING,
    old=ModelShare(run="a", accuracy=0.8, low=0.7, high=0.88),
    new=ModelShare(run="b", accuracy=0.9, low=0.82, high=0.95),
    difference=0.1,
    low=-0.02,
    high=0.2,
    bound=0.0,
)


def test_each_model_is_an_interval_around_its_point() -> None:
    chart = accuracy_chart(COMPARED)

    assert chart is not None
    assert [each.name for each in chart.intervals] == ["old", "new"]
    for each in chart.intervals:
        assert LEFT <= each.left < each.point < each.right <= WIDTH - RIGHT
    old, new = chart.intervals
    assert old.point < new.point
    assert chart.ticks[-1].value <= 1.0
    assert len(chart.ticks) <= 8


def test_the_difference_is_looked_at_against_what_may_be_lost() -> None:
    chart = difference_chart(COMPARED)

    assert chart is not None
    rules = {each.name: each for each in chart.rules}
    assert {name: rule.value for name, rule in rules.items()} == {
        "alike": 0.0,
        "limit": -0.02,
        "bound": 0.0,
    }
    assert rules["limit"].x < rules["alike"].x == rules["bound"].x
    (interval,) = chart.intervals
    assert interval.left <= rules["alike"].x <= interval.right


@pytest.mark.parametrize("compared", [NOTHING, replace(NOTHING, low=-1e308, difference=0, high=1)])
def test_what_is_not_known_or_no_share_is_not_drawn(compared: Comparison) -> None:
    assert (accuracy_chart(compared), difference_chart(compared)) == (None, None)


def test_models_that_never_differ_have_a_drawing_too() -> None:
    alike = ModelShare(run="a", accuracy=1.0, low=1.0, high=1.0)

    chart = accuracy_chart(replace(NOTHING, old=alike, new=alike))

    assert chart is not None
    assert all(LEFT <= each.x <= WIDTH - RIGHT for each in chart.ticks)
    assert {each.point for each in chart.intervals} == {float(WIDTH - RIGHT)}
