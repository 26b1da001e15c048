"""A cached rerun, where no step has to run, beside ``alo check``. In memory, as it makes files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, in_memory
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

LIMITS = {5: 1.25, 50: 1.3}  # steps → times


def measure() -> list[Row]:
    with in_memory() as folder:
        return [measure_steps(Path(folder) / f"of-{steps}", steps) for steps in LIMITS]


def measure_steps(home: Path, steps: int) -> Row:
    write_empty_solution(home, steps, cache=True)
    cached, checked = by_turns(
        Command(alo("run", "--project", home)),
        Command(alo("check", "--project", home)),
        rounds=31,
    )
    what = f"a cached rerun of {steps} steps : alo check"
    return Row(what, cached.wall_s * 1e3, checked.wall_s * 1e3, LIMITS[steps], "ms")


if __name__ == "__main__":
    show(measure())
