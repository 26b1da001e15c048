"""The cost of one more step: (a run of 50 empty steps - one of 5) / 45, in both interface modes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

FEW, MANY = 5, 50
LIMITS_MS = {"memory": 1.5, "file": 3.0}


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return [measure_mode(Path(folder), mode) for mode in LIMITS_MS]


def measure_mode(folder: Path, mode: str) -> Row:
    few, many = by_turns(*(_run(folder, mode, steps) for steps in (FEW, MANY)), rounds=21)
    per_step_ms = (many.wall_s - few.wall_s) / (MANY - FEW) * 1e3
    return Row(f"one empty step, {mode} mode", per_step_ms, None, LIMITS_MS[mode], "ms")


def _run(folder: Path, mode: str, steps: int) -> Command:
    home = write_empty_solution(folder / f"{mode}-{steps}", steps, interface_mode=mode)
    return Command(alo("run", "--project", home))


if __name__ == "__main__":
    show(measure())
