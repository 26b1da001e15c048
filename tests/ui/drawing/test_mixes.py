"""Class mixes over time: bars that are whole and within the drawing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.alarms.class_mix import normalized
from alo.ui.class_mixes import Part
from alo.ui.drawing.mixes import BOTTOM, COLORS, HEIGHT, REST, TOP, WIDTH, mix_chart

MIXES = st.dictionaries(
    st.text("abcdefghijklm", min_size=1, max_size=2), st.floats(0.01, 1), min_size=1
)


def part(shares: dict[str, float]) -> Part:
    return Part("", "", 10, tuple(sorted(normalized(shares).items())), 0.1, 0.2)


@given(st.lists(MIXES, min_size=1, max_size=10), st.just({}) | MIXES)
def test_each_bar_is_whole_and_in_the_drawing(
    mixes: list[dict[str, float]], train: dict[str, float]
) -> None:
    chart = mix_chart(tuple(map(part, mixes)), tuple(sorted(normalized(train).items())))

    assert chart is not None
    assert len(chart.columns) == len(mixes) + bool(train)
    assert len(chart.names) <= COLORS
    for column in chart.columns:
        assert 0 <= column.x <= WIDTH - chart.bar
        high = sum(piece.height for piece in column.pieces)
        assert high == pytest.approx(HEIGHT - TOP - BOTTOM, abs=1)
        assert all(piece.color < COLORS for piece in column.pieces)


def test_the_train_run_comes_first_and_the_rarest_classes_count_as_one() -> None:
    many = {f"c{number}": 1.0 for number in range(20)}

    chart = mix_chart((part(many),), tuple(sorted(normalized(many).items())))

    assert chart is not None
    assert [column.part is None for column in chart.columns] == [True, False]
    assert chart.names[-1] == REST
    assert chart.columns[0].pieces[-1].share == pytest.approx(13 / 20)


def test_of_no_requests_there_is_no_drawing() -> None:
    assert mix_chart((), (("a", 1.0),)) is None
