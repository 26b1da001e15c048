"""A 1 GB DataFrame through four steps of ``alo run``: what file mode adds to memory mode.

The baseline writes the frame's memory once, in a process of its own beside each pair of runs.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.bench_store import FRAME_BYTES, baseline
from benchmarks.processes import alo, run
from benchmarks.rows import Row, show
from benchmarks.solutions import write_solution

ROUNDS = 5

FIRST = """\
import numpy
import pandas

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        values = numpy.random.default_rng(0).random((10, 12_500_000))
        frame = pandas.DataFrame(values.T, columns=list("abcdefghij"), copy=False)
        self.asset.save_data({"frame": frame, "first": 1})
        self.asset.save_config(self.asset.load_config())
"""

NEXT = """\
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        data = self.asset.load_data()
        data[self.asset.asset_envs["step"]] = 1
        self.asset.save_data(data)
        self.asset.save_config(self.asset.load_config())
"""


class Cost(NamedTuple):
    """Of the four steps together."""

    seconds: float
    peak_bytes: int


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        homes = {mode: _write(Path(folder) / mode, mode) for mode in ("file", "memory")}
        run(alo("run", "--project", homes["memory"]))  # so that none pays for a cold disk
        file, memory, plain = [], [], []
        for _ in range(ROUNDS):
            file.append(_fresh(homes["file"]))
            memory.append(_fresh(homes["memory"]))
            plain.append(baseline(Path(folder)))
        added = median(
            stored.seconds - live.seconds for stored, live in zip(file, memory, strict=True)
        )
        peak = median(cost.peak_bytes for cost in file)
        copies = median(cost.peak_bytes for cost in memory)
    what = "1 GB frame, 4 steps"
    return [
        Row(f"{what}: file mode adds : writing 1 GB", added, median(plain), 2.5, "s"),
        Row(f"{what}: peak in file mode : frame", peak, FRAME_BYTES, 1.3, "B"),
        Row(f"{what}: peak in memory mode : frame", copies, FRAME_BYTES, 1.3, "B"),
    ]


def _write(home: Path, mode: str) -> Path:
    assets = {"first": FIRST, **dict.fromkeys(("second", "third", "fourth"), NEXT)}
    return write_solution(home, assets, control={"interface_mode": mode})


def _fresh(home: Path) -> Cost:
    """A run of a project that has stored nothing yet, as its history tells of it.

    The kernel's own peak of the process will not do: the engine sets it back before each step.
    """
    for name in (".asset_interface", "history"):
        shutil.rmtree(home / name, ignore_errors=True)
    os.sync()  # the disk is idle, and no run pays for what the one before wrote
    run(alo("run", "--project", home))
    (record,) = home.glob("history/train/*/log/experimental_history.json")
    steps = json.loads(record.read_bytes())["steps"]
    return Cost(sum(step["seconds"] for step in steps), max(step["peak_bytes"] for step in steps))


if __name__ == "__main__":
    show(measure())
