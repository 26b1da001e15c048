"""The cost of one more step: (a run of 50 empty steps - one of 5) / 45, in both interface modes,
beside one more task of Luigi; and whether it grows with the number of steps.

In memory (tmpfs), as each run makes files: so no row depends on what the disk does just then.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks.processes import (
    BenchmarkError,
    Command,
    Usage,
    alo,
    by_turns,
    in_memory,
    median_of,
    python,
    samples,
)
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

FEW, MANY = 5, 50
LIMITS = {"memory": 0.55, "file": 0.8}  # of a step of Luigi
LIMITS_MS = {"memory": 1.0, "file": 1.5}
ROUNDS = 21
SOME, HALF, MOST = 500, 2500, 5000
BASELINE = Path(__file__).with_name("luigi_steps.py")


def measure() -> list[Row]:
    if find_spec("luigi") is None:
        raise BenchmarkError("steps are compared with Luigi's: pip install -e '.[bench]'")
    with in_memory() as folder:
        return [*measure_steps(Path(folder)), measure_growth(Path(folder))]


def measure_steps(folder: Path) -> list[Row]:
    kinds: list[Callable[[int], Command]] = [
        *(partial(_run, folder, mode) for mode in LIMITS),
        partial(_luigi, folder),
    ]
    runs = samples(*(kind(steps) for kind in kinds for steps in (FEW, MANY)), rounds=ROUNDS)
    *ours, luigi = (_of_one(*runs[at : at + 2]) for at in range(0, len(runs), 2))
    rows = []
    for mode, step in zip(LIMITS, ours, strict=True):
        what, than = f"one more empty step, {mode} mode", "one of Luigi, which writes a file"
        wall, base = step.wall_s * 1e3, luigi.wall_s * 1e3
        cpu, base_cpu = step.cpu_s * 1e3, luigi.cpu_s * 1e3
        rows.append(Row(f"{what} : {than}", wall, base, LIMITS[mode], "ms"))
        rows.append(Row("the same, CPU", cpu, base_cpu, LIMITS[mode], "ms"))
        rows.append(Row(what, wall, None, LIMITS_MS[mode], "ms"))
    return rows


def measure_growth(folder: Path) -> Row:
    """By CPU time: these runs are long enough for the machine to have other things to do."""
    counts = (FEW + 1, SOME, HALF, MOST)
    few, some, half, most = by_turns(
        *(_run(folder, "memory", steps) for steps in counts), rounds=4, warm_up=1
    )
    late_ms = (most.cpu_s - half.cpu_s) / (MOST - HALF) * 1e3
    early_ms = (some.cpu_s - few.cpu_s) / (SOME - FEW - 1) * 1e3
    what = f"one more step (CPU) at {HALF:,} to {MOST:,} : at {FEW + 1} to {SOME}"
    return Row(what, late_ms, early_ms, 1.25, "ms")


def _of_one(few: Sequence[Usage], many: Sequence[Usage]) -> Usage:
    """What one step takes: of the wall clock, the median; of CPU time, what it takes at least, as
    more is the doing of other programs. Its memory is not looked at."""
    steps = MANY - FEW
    wall_s = median_of(many).wall_s - median_of(few).wall_s
    cpu_s = min(run.cpu_s for run in many) - min(run.cpu_s for run in few)
    return Usage(wall_s / steps, cpu_s / steps, 0)


def _run(folder: Path, mode: str, steps: int) -> Command:
    home = write_empty_solution(folder / f"{mode}-{steps}", steps, interface_mode=mode)
    return Command(alo("run", "--project", home))


def _luigi(folder: Path, steps: int) -> Command:
    targets = folder / f"luigi-{steps}"  # which would be taken as done in the next round
    clear = partial(shutil.rmtree, targets, ignore_errors=True)
    return Command(python(BASELINE, targets, str(steps)), clear)


if __name__ == "__main__":
    show(measure())
