"""Scores over time: every point is within the drawing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alo.ui.drawing.scores import HEIGHT, WIDTH, Point, score_chart

SCORES = st.floats(min_value=-1e9, max_value=1e9)


@given(st.lists(SCORES, min_size=2, max_size=50))
def test_points_stay_in_the_drawing_and_higher_scores_are_higher(scores: list[float]) -> None:
    chart = score_chart([Point(str(n), "", score, "train") for n, score in enumerate(scores)])

    assert chart is not None
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    best = min(chart.marks, key=lambda mark: mark.y)
    assert best.y == min(m.y for m in chart.marks if m.point.score == max(scores))


def test_one_score_is_no_line() -> None:
    assert score_chart([Point("a", "", 1.0, "train")]) is None
