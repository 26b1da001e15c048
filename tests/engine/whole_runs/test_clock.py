"""A clock that is set back or forward costs no run, no model and no order that matters."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.errors import StepError
from alo.events.types import LogLine, StepFinished
from alo.history.browse import History
from alo.history.recent_runs import recent_runs
from alo.layout import Workspace

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

TWO = {
    "one": "self.data['x'] = 1",
    "two": "Path(self.asset.get_model_path(), 'm').write_text(str(self.data['x']))",
}
BROKEN = {**TWO, "two": "raise ValueError('not yet')"}
CACHE = {"cache": True}
DAY_S = 86_400.0


@pytest.fixture
def move_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock of this process by so many seconds."""
    real = time.time

    def move(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return move


@pytest.mark.parametrize("jump_s", [-400 * DAY_S, 400 * DAY_S])
def test_resume_takes_the_run_that_failed_last_whatever_the_clock_says(
    make_solution: MakeSolution,
    run: Run,
    heard: Any,
    move_clock: Callable[[float], None],
    jump_s: float,
) -> None:
    home = make_solution(TWO, control=CACHE)
    run(home)
    move_clock(jump_s)
    make_solution(BROKEN, control=CACHE)
    with pytest.raises(StepError):
        run(home)
    move_clock(jump_s / 2)
    make_solution(TWO, control=CACHE)
    heard.clear()

    run(home, resume=True)

    assert [step.status for step in heard.of(StepFinished)] == ["cached", "success"]
    heard.clear()
    run(home, resume=True)
    assert any("nothing to resume" in line.text for line in heard.of(LogLine))


def test_a_run_that_seems_the_oldest_is_kept_and_its_model_is_the_current_one(
    make_solution: MakeSolution, run: Run, move_clock: Callable[[float], None]
) -> None:
    home = make_solution(TWO, control={"backup_size": 0})
    run(home)
    move_clock(-400 * DAY_S)

    (outcome,) = run(home)

    assert outcome.run_id in [record.id for record in History(Workspace(home)).list()]
    assert (outcome.history / "models/two/m").read_text() == "1"
    assert outcome.seconds < DAY_S


def test_without_its_notes_the_newest_start_counts(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution(BROKEN, control=CACHE)
    with pytest.raises(StepError):
        run(home)
    make_solution(TWO, control=CACHE)
    Workspace(home).recent_runs.unlink()

    (outcome,) = run(home, resume=True)

    assert outcome.status == "success"


def test_damaged_notes_are_no_notes(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.internal.mkdir()
    workspace.recent_runs.write_bytes(b"\xff\x00nonsense\n\ntrain\ntrain 20260101T000000Z-1-x\n")

    assert recent_runs(workspace) == [("train", "20260101T000000Z-1-x")]
