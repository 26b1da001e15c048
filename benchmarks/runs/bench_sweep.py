"""Sweeps on this machine: what they take beside the trials themselves, and what they remember."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from statistics import median

from benchmarks.processes import alo, in_memory, run
from benchmarks.rows import Row, show

TRIALS, WORK_S, JOBS = 20, 0.5, 2
MANY = 1000
PREFIX_S = 5.0
ASSET = """\
import time

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        args = self.asset.load_args()
        time.sleep(args.get("seconds", 0))
        if args.get("count"):
            with open(args["count"], "a") as file:
                file.write("x")
        self.asset.save_summary("ok", args.get("x", 0) % 100 / 100)
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
"""


def measure() -> list[Row]:
    with in_memory() as folder:
        return [*_few(Path(folder)), *_many(Path(folder)), *_prefix(Path(folder))]


def _few(folder: Path) -> list[Row]:
    home = write_project(folder / "few", {"train": {"x": 1, "seconds": WORK_S}})
    words = ["--param", f"train.x=1..{TRIALS}", "--jobs", str(JOBS)]
    taken = [run(alo("sweep", *words, "--project", home))[0].wall_s for _ in range(3)]
    ideal = TRIALS * WORK_S / JOBS
    what = f"sweep of {TRIALS} trials of {WORK_S:g} s, {JOBS} jobs : ideal"
    return [Row(what, median(taken), ideal, 1.10, "s")]


def _many(folder: Path) -> list[Row]:
    home = write_project(folder / "many", {"train": {"x": 1, "seconds": 0}})
    words = ["s", "--param", f"train.x=1..{10**9}", "--sampler", "random", "--keep", "all"]
    words += ["--trials", str(MANY), "--jobs", str(JOBS), "--json"]
    command = alo("sweep", *words, "--project", home)
    began = time.monotonic()
    moments: list[float] = []
    memory: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            if json.loads(line)["event"] == "trial_finished":
                moments.append(time.monotonic())
                memory.append(_memory_of(process.pid))
    whole_s = time.monotonic() - began
    first, half, last = moments[0], moments[MANY // 2], moments[-1]
    shown = [run(alo("sweep", "show", "s", "--project", home))[0].wall_s for _ in range(5)]
    return [
        Row(
            f"sweep of {MANY:,} empty trials, {JOBS} jobs: each",
            1000 * whole_s / MANY,
            None,
            25,
            "ms",
        ),
        Row("  its second half : its first", last - half, half - first, 1.10, "s"),
        Row("  what the driver grows by", (memory[-1] - memory[5]) / 1e6, None, 50, "MB"),
        Row(f"sweep show of {MANY:,} trials", median(shown), None, 0.2, "s"),
    ]


def _memory_of(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def _prefix(folder: Path) -> list[Row]:
    count = folder / "count"
    args = {"prepare": {"seconds": PREFIX_S, "count": str(count)}, "train": {"x": 1}}
    home = write_project(folder / "prefix", args)
    run(alo("sweep", "--param", f"train.x=1..{TRIALS}", "--jobs", str(JOBS), "--project", home))
    what = f"runs of a step before the swept one, {TRIALS} trials"
    return [Row(what, len(count.read_text()), None, 1, "")]


def write_project(home: Path, args: dict[str, dict[str, object]]) -> Path:
    """A project with a train pipeline of these steps."""
    steps = [{"step": name, "args": each} for name, each in args.items()]
    for name in args:
        (home / "assets" / name).mkdir(parents=True)
        (home / "assets" / name / f"asset_{name}.py").write_text(ASSET)
    plan = {
        "name": "swept",
        "user_parameters": {"train_pipeline": steps},
        "control": {"backup_size": 10_000},
    }
    (home / "input" / "train").mkdir(parents=True)
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    return home


if __name__ == "__main__":
    show(measure())
