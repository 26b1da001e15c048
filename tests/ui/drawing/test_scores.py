"""Scores over time: every point is within the drawing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alo.history.index.pages import Scored
from alo.ui.drawing.scores import HEIGHT, WIDTH, score_chart

SCORES = st.floats(min_value=-1e9, max_value=1e9)


@given(st.lists(SCORES, min_size=2, max_size=50))
def test_points_stay_in_the_drawing_and_higher_scores_are_higher(scores: list[float]) -> None:
    chart = score_chart(tuple(Scored(str(n), "", score, "train") for n, score in enumerate(scores)))

    assert chart is not None
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in chart.marks)
    best = min(chart.marks, key=lambda mark: mark.y)
    assert best.y == min(m.y for m in chart.marks if m.point.score == max(scores))


def test_scores_of_two_pipelines_are_two_lines_since_they_measure_different_things() -> None:
    kinds = ("train", "inference", "train", "inference", "train")
    points = tuple(Scored(str(n), "", n / 10, kind) for n, kind in enumerate(kinds))

    chart = score_chart(points)

    assert chart is not None
    assert [each.pipeline for each in chart.series] == ["train", "inference"]
    assert [len(each.line.split()) for each in chart.series] == [3, 2]


def test_the_highest_and_the_lowest_score_are_named_at_their_height() -> None:
    chart = score_chart((Scored("a", "", 0.5, "train"), Scored("b", "", 0.9, "train")))

    assert chart is not None
    assert {grade.score: grade.y for grade in chart.grades} | {
        mark.point.score: mark.y for mark in chart.marks
    } == {grade.score: grade.y for grade in chart.grades}


def test_equal_scores_are_one_level() -> None:
    chart = score_chart((Scored("a", "", 0.5, "train"), Scored("b", "", 0.5, "train")))

    assert chart is not None
    assert [grade.score for grade in chart.grades] == [0.5]
    assert len({mark.y for mark in chart.marks}) == 1


def test_one_score_is_no_line() -> None:
    assert score_chart((Scored("a", "", 1.0, "train"),)) is None
