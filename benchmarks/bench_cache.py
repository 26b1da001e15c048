"""A cached rerun, where no step has to run, beside ``alo check``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

STEPS = 5


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = write_empty_solution(Path(folder) / "solution", STEPS, cache=True)
        cached, checked = by_turns(
            Command(alo("run", "--project", home)),
            Command(alo("check", "--project", home)),
            rounds=31,
        )
    what = f"a cached rerun of {STEPS} steps : alo check"
    return [Row(what, cached.wall_s * 1e3, checked.wall_s * 1e3, 1.3, "ms")]


if __name__ == "__main__":
    show(measure())
