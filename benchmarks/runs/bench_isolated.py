"""A step in a process of its own: its start, and a 1 GB DataFrame handed to it and back.

Hand-over is what a run costs more than the same run without the process, less what that is for a
frame of 80 kB (the start of the process, which is measured by itself); with a step that passes
the frame on, and with one that makes a new one of it. The baseline writes the frame's memory once,
in a process of its own beside each pair of runs. The peak is the sum of both processes' PSS (in
which a page that both have counts once), in runs of its own, because looking costs time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.processes import ALO, Command, alo, by_turns, python, run
from benchmarks.rows import Row, show
from benchmarks.runs.bench_frames import FIRST, NEXT, REPLACES
from benchmarks.solutions import EMPTY_ASSET, write_solution
from benchmarks.storage.bench_store import FRAME_BYTES, baseline

ROUNDS, START_ROUNDS = 7, 11
SMALL = FIRST.replace("12_500_000", "1_000")
PANDAS = f"import pandas\n{EMPTY_ASSET}"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        return [
            *_measure_start(base),
            *_measure_frame(base, "passes it on", NEXT, 2.5),
            *_measure_frame(base, "makes a new one", REPLACES, 1.5),
        ]


def _measure_start(base: Path) -> list[Row]:
    """One more step that imports pandas, against Python that does: both leave the import cold."""
    home = _write(base / "start", {"second": PANDAS, "last": EMPTY_ASSET}, apart=True)
    seconds = []
    for _ in range(START_ROUNDS):
        (imported,) = by_turns(Command(python("-c", "import pandas")), rounds=1, warm_up=0)
        seconds.append((_steps(home)["second"], imported.wall_s))
    step, imported_s = (median(each) * 1e3 for each in zip(*seconds, strict=True))
    what = "a process step that imports pandas : python -c 'import pandas'"
    return [Row(what, step, imported_s, 1.5, "ms")]


def _measure_frame(base: Path, name: str, code: str, limit: float) -> list[Row]:
    folder = base / name.replace(" ", "-")
    homes = [
        _write(folder / f"{size}-{apart}", {"first": first, "second": code, "third": NEXT}, apart)
        for size, first in (("large", FIRST), ("small", SMALL))
        for apart in (True, False)
    ]
    run(alo("run", "--project", homes[1]))  # so that none pays for a cold disk
    added, plain = [], []
    for _ in range(ROUNDS):
        large, large_here, small, small_here = (sum(_steps(home).values()) for home in homes)
        added.append((large - large_here) - (small - small_here))
        plain.append(baseline(base))
    peak = max(_peak_pss(homes[0]) for _ in range(2))
    what = f"1 GB to a process step that {name}, and back"
    return [
        Row(f"{what} : writing 1 GB", median(added), median(plain), limit, "s"),
        Row(f"{what}, peak of both : frame", peak, FRAME_BYTES, 2.3, "B"),
    ]


def _write(home: Path, assets: dict[str, str], apart: bool) -> Path:
    """A solution whose step ``second`` has a process of its own, or has not."""
    write_solution(home, assets)
    if apart:
        plan = home / "solution" / "experimental_plan.yaml"
        step = "- step: second\n"
        plan.write_text(plan.read_text().replace(step, f"{step}      isolation: process\n"))
    return home


def _steps(home: Path) -> dict[str, float]:
    """The seconds of each step of a run."""
    shutil.rmtree(home / "history", ignore_errors=True)
    os.sync()  # the disk is idle, and no run pays for what the one before wrote
    run(alo("run", "--project", home))
    (record,) = home.glob("history/train/*/log/experimental_history.json")
    steps = json.loads(record.read_bytes())["steps"]
    return {step["name"]: step["seconds"] for step in steps}


def _peak_pss(home: Path) -> int:
    """Of the engine and all below it, looked at as often as that can be done."""
    command = [ALO, "run", "--project", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    peak, done = 0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, sum(map(_pss, [process.pid, *_below(process.pid)])))
            time.sleep(0.002)

    thread = threading.Thread(target=look)
    thread.start()
    process.wait()
    done.set()
    thread.join()
    return peak


def _below(pid: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _below(int(child))


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0


if __name__ == "__main__":
    show(measure())
