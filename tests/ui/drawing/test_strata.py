"""A stratum's bar is as long as the share of it that is right."""

from __future__ import annotations

from alo.review.accuracy import StratumSeen
from alo.ui.drawing.strata import strata_chart


def test_bars_are_as_long_as_what_is_right() -> None:
    seen = (
        StratumSeen("good", 0.5, 0.9, 100, 10, 5),
        StratumSeen("bad", 0.5, 0.9, 100, 0, 0),
        StratumSeen(None, 0.1, 0.2, 4, 4, 4),
    )

    chart = strata_chart(seen, known=4)

    assert chart is not None
    half, none, whole = chart.bars
    assert (half.right, none.right, whole.right) == (chart.full / 2, 0.0, chart.full)
    assert (half.share, none.share, whole.share) == (0.5, None, 1.0)
    assert [bar.is_known for bar in chart.bars] == [False, False, True]
    assert chart.height > max(bar.y for bar in chart.bars)


def test_nothing_is_drawn_of_nothing() -> None:
    assert strata_chart((), 0) is None


def test_the_bounds_of_a_stratum_are_told_apart() -> None:
    seen = (
        StratumSeen("good", 0.9961, 0.99994, 100, 10, 5),
        StratumSeen("bad", 1.0, 1.0, 100, 10, 5),
        StratumSeen("odd", None, None, 100, 10, 5),
    )

    chart = strata_chart(seen, known=0)

    assert chart is not None
    assert [bar.span for bar in chart.bars] == ["0.996\u20131.000", "1.00", ""]
