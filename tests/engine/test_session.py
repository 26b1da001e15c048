"""What a step costs does not grow with the steps before and after it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from alo.engine.request import RunRequest
from alo.engine.run import run_solution
from alo.events.types import Event, StepStarted

MakeSolution = Callable[..., Path]

STEPS = [f"step_{first}{second}" for first in "abcdef" for second in "abcdefghij"]
FEW = 8


def calls_of_steps(home: Path) -> list[int]:
    """How many calls of functions each step takes, but for the last."""
    calls = 0
    at_start: list[int] = []

    def count(frame: FrameType, what: str, of: Any) -> None:
        nonlocal calls
        calls += what == "call"

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted):
            at_start.append(calls)

    sys.setprofile(count)
    try:
        run_solution(RunRequest(home, mode="train"), listen)
    finally:
        sys.setprofile(None)
    return [after - before for before, after in pairwise(at_start)]


def test_a_step_among_many_takes_as_many_calls_as_one_among_few(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    few, many = (
        calls_of_steps(make_solution(dict.fromkeys(steps, "pass"), home=tmp_path / name))
        for name, steps in (("few", STEPS[:FEW]), ("many", STEPS))
    )

    # A look at each other step would be some dozens of calls more.
    assert median(many[FEW:]) <= median(few[FEW // 2 :]) + len(STEPS) // 2
