"""Runs on a Ray cluster of this machine, beside the same runs here."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

from benchmarks.processes import alo, in_memory, run
from benchmarks.rows import Row, show
from benchmarks.runs.bench_sweep import write_project

TRIALS, WORK_S, JOBS = 40, 0.2, 2
MODEL_MB = 1000
MODEL = """\
import os

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        piece = os.urandom(1_000_000)
        with open(self.asset.get_model_path() + "m", "wb") as file:
            for _ in range(self.asset.load_args()["mb"]):
                file.write(piece)
        self.asset.save_summary("ok", 0.5)
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
"""


def measure() -> list[Row]:
    with in_memory() as folder:
        return [*_warm(Path(folder)), *_once(Path(folder)), *_model(Path(folder))]


def _warm(folder: Path) -> list[Row]:
    home = write_project(folder / "warm", {"train": {"x": 1, "seconds": WORK_S}})
    here, there = (_between_starts(home, name) for name in ("local", "ray"))
    what = f"warm trial of {WORK_S:g} s on Ray, {JOBS} CPUs, between starts : local"
    return [Row(what, there, here, 1.5, "s")]


def _between_starts(home: Path, computing: str) -> float:
    """The usual time from a trial's start to the next, once all processes are warm."""
    words = [computing, "--param", f"train.x=1..{TRIALS}", "--jobs", str(JOBS), "--json"]
    command = alo("sweep", *words, "--computing", computing, "--project", home)
    starts: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            if json.loads(line)["event"] == "trial_started":
                starts.append(time.monotonic())
    warm = starts[TRIALS // 4 :]
    return (warm[-1] - warm[0]) / (len(warm) - 1)


def _once(folder: Path) -> list[Row]:
    home = write_project(folder / "once", {"train": {"x": 1}})
    here, there = (
        median(run(alo("run", "--computing", name, "--project", home))[0].wall_s for _ in range(3))
        for name in ("local", "ray")
    )
    what = "run on a Ray cluster of its own, over a run here"
    return [Row(what, there - here, None, 8, "s")]


def _model(folder: Path) -> list[Row]:
    home = write_project(folder / "model", {"train": {"mb": MODEL_MB}})
    (home / "assets/train/asset_train.py").write_text(MODEL)
    command = alo("run", "--computing", "ray", "--project", home)
    peaks = {"driver": 0, "Ray": 0}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                with suppress(OSError):
                    name = "Ray" if "link_process" in _command(pid) else "driver"
                    peaks[name] = max(peaks[name], _own_bytes(pid))
            time.sleep(0.05)
    what = f"memory that is not shared, of a run whose model of {MODEL_MB} MB comes back"
    return [
        Row(f"{what}: driver", peaks["driver"] / 1e6, None, 300, "MB"),
        Row("  its process for Ray", peaks["Ray"] / 1e6, None, 300, "MB"),
    ]


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(each)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")


def _own_bytes(pid: int) -> int:
    """What is resident, without shared memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = [each.split() for each in lines if each.startswith(("RssAnon", "RssFile"))]
    return sum(int(size) * 1024 for _, size, _ in sizes)


if __name__ == "__main__":
    show(measure())
