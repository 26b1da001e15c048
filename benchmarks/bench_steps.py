"""The cost of one more step: (a run of 50 empty steps - one of 5) / 45, in both interface modes;
and whether it grows with the number of steps. In memory, as each run makes files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, in_memory
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

FEW, MANY = 5, 50
LIMITS_MS = {"memory": 1.0, "file": 1.5}
SOME, HALF, MOST = 500, 2500, 5000


def measure() -> list[Row]:
    with in_memory() as folder:
        modes = [measure_mode(Path(folder), mode) for mode in LIMITS_MS]
        return [*modes, measure_growth(Path(folder))]


def measure_mode(folder: Path, mode: str) -> Row:
    few, many = by_turns(*(_run(folder, mode, steps) for steps in (FEW, MANY)), rounds=21)
    per_step_ms = (many.wall_s - few.wall_s) / (MANY - FEW) * 1e3
    return Row(f"one empty step, {mode} mode", per_step_ms, None, LIMITS_MS[mode], "ms")


def measure_growth(folder: Path) -> Row:
    """By CPU time: these runs are long enough for the machine to have other things to do."""
    counts = (FEW + 1, SOME, HALF, MOST)
    few, some, half, most = by_turns(
        *(_run(folder, "memory", steps) for steps in counts), rounds=3, warm_up=1
    )
    late_ms = (most.cpu_s - half.cpu_s) / (MOST - HALF) * 1e3
    early_ms = (some.cpu_s - few.cpu_s) / (SOME - FEW - 1) * 1e3
    what = f"one more step (CPU) at {HALF:,} to {MOST:,} : at {FEW + 1} to {SOME}"
    return Row(what, late_ms, early_ms, 1.25, "ms")


def _run(folder: Path, mode: str, steps: int) -> Command:
    home = write_empty_solution(folder / f"{mode}-{steps}", steps, interface_mode=mode)
    return Command(alo("run", "--project", home))


if __name__ == "__main__":
    show(measure())
