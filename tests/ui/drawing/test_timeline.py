"""Steps over time: each bar is within the drawing, in proportion."""

from __future__ import annotations

from datetime import datetime, timezone

from alo.ui.drawing.timeline import LABEL, WIDTH, Bar, timeline


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000Z"


def test_bars_are_as_long_as_their_steps_took() -> None:
    drawn = timeline([Bar("a", "success", at(0), at(10)), Bar("b", "success", at(10), at(40))])

    assert drawn is not None
    first, second = drawn.bars
    assert (first.x, second.x + second.width) == (LABEL, WIDTH)
    assert round(second.width / first.width, 1) == 3.0


def test_a_step_that_runs_reaches_until_now_and_one_that_waits_is_not_drawn() -> None:
    now = datetime(2026, 1, 1, 0, 0, 20, tzinfo=timezone.utc)

    drawn = timeline([Bar("a", "running", at(0), ""), Bar("b", "waiting", "", "")], now)

    assert drawn is not None
    assert [(bar.name, bar.seconds) for bar in drawn.bars] == [("a", 20.0)]


def test_nothing_is_drawn_before_the_first_step() -> None:
    assert timeline([]) is None
    assert timeline([Bar("a", "waiting", "", "")]) is None
