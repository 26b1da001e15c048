"""A 1 GB DataFrame through four steps of ``alo run``: what file mode adds to memory mode.

Once with steps that pass the frame on, and once with steps that each make a new one, which all
have to be stored. The baseline writes a frame's memory once, in a process of its own beside each
pair of runs.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.processes import alo, run
from benchmarks.rows import Row, show
from benchmarks.solutions import write_solution
from benchmarks.storage.bench_store import FRAME_BYTES, baseline

ROUNDS, NEW_ROUNDS = 5, 3
STEPS = 4

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

REPLACES = NEXT.replace(
    'data[self.asset.asset_envs["step"]] = 1', 'data["frame"] = data["frame"] * 2'
)


class Cost(NamedTuple):
    """Of the four steps together."""

    seconds: float
    peak_bytes: int


class Figures(NamedTuple):
    """Medians over the rounds."""

    added_s: float
    plain_s: float  # writing the frame once
    file_bytes: float
    memory_bytes: float


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        passed = _figures(Path(folder) / "passed", NEXT, ROUNDS)
        new = _figures(Path(folder) / "new", REPLACES, NEW_ROUNDS)
    what, each = f"1 GB frame, {STEPS} steps", f"a new 1 GB frame in each of {STEPS} steps"
    return [
        Row(f"{what}: file mode adds : writing 1 GB", passed.added_s, passed.plain_s, 2.5, "s"),
        Row(f"{what}: peak in file mode : frame", passed.file_bytes, FRAME_BYTES, 1.3, "B"),
        Row(f"{what}: peak in memory mode : frame", passed.memory_bytes, FRAME_BYTES, 1.3, "B"),
        Row(f"{each}: file mode adds : writing all", new.added_s, STEPS * new.plain_s, 2.5, "s"),
        Row(f"{each}: peak in file mode : frame", new.file_bytes, FRAME_BYTES, 2.3, "B"),
        Row(f"{each}: peak in memory mode : frame", new.memory_bytes, FRAME_BYTES, 2.3, "B"),
    ]


def _figures(folder: Path, code: str, rounds: int) -> Figures:
    homes = {mode: _write(folder / mode, mode, code) for mode in ("file", "memory")}
    run(alo("run", "--project", homes["memory"]))  # so that none pays for a cold disk
    file, memory, plain = [], [], []
    for _ in range(rounds):
        file.append(_fresh(homes["file"]))
        memory.append(_fresh(homes["memory"]))
        plain.append(baseline(folder))
    pairs = zip(file, memory, strict=True)
    return Figures(
        median(stored.seconds - live.seconds for stored, live in pairs),
        median(plain),
        median(cost.peak_bytes for cost in file),
        median(cost.peak_bytes for cost in memory),
    )


def _write(home: Path, mode: str, code: str) -> Path:
    assets = {"first": FIRST, **dict.fromkeys(("second", "third", "fourth"), code)}
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
