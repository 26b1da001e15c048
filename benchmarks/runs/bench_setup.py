"""Sources and environments of a plan with six git assets from two repositories, nothing changed.

The script does what ``alo run`` does between its check and its first step; the imports that this
takes are part of it. ``anew``: the note that the environment has not changed is missing, so that
every requirement is looked up.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.processes import alo, python, run
from benchmarks.rows import Row, show
from benchmarks.solutions import EMPTY_ASSET, write_empty_solution

ROUNDS = 15
REQUIREMENTS = "pandas>=2, scikit-learn, matplotlib, pillow, PyYAML, xxhash, hypothesis, pytest"
SET_UP = """\
import sys
from pathlib import Path
from time import perf_counter
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest, Setup
jobs = check_solution(RunRequest(Path(sys.argv[1]))).jobs
began = perf_counter()
from alo.engine.setup import set_up
set_up(jobs, Setup(), lambda event: sys.exit(f"something was done: {event}"))
print(perf_counter() - began)
"""
STEPS = ("first", "second", "third", "fourth", "fifth", "sixth")


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        os.environ["ALO_CACHE_DIR"] = str(base / "cache")
        home = _write(base)
        run(alo("run", "--project", home))
        note = home / ".alo" / "satisfied"
        noted = median(_seconds(home) for _ in range(ROUNDS))
        anew = []
        for _ in range(ROUNDS):
            note.unlink()
            anew.append(_seconds(home))
    what = "sources and environments of six git assets, checked"
    return [
        Row(what, noted * 1e3, None, 150, "ms"),
        Row(f"{what} anew", median(anew) * 1e3, None, 150, "ms"),
    ]


def _seconds(home: Path) -> float:
    return float(run(python("-c", SET_UP, home))[1])


def _write(base: Path) -> Path:
    repositories = [_repository(base / name) for name in ("one", "two")]
    home = write_empty_solution(base / "solution", 1)
    plan = ["name: benchmark", "user_parameters:", "  - train_pipeline:"]
    plan += [f"    - step: {step}" for step in STEPS]
    plan += ["asset_source:", "  - train_pipeline:"]
    for number, step in enumerate(STEPS):
        plan += [
            f"    - step: {step}",
            "      source:",
            f"        code: file://{repositories[number % 2]}",
            f"        path: {step}",
            f"        requirements: [{REQUIREMENTS}]",
        ]
    (home / "solution" / "experimental_plan.yaml").write_text("\n".join(plan) + "\n")
    return home


def _repository(folder: Path) -> Path:
    for step in STEPS:
        (folder / step).mkdir(parents=True)
        (folder / step / f"asset_{step}.py").write_text(EMPTY_ASSET)
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for arguments in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "assets"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)  # noqa: S603, S607
    return folder


if __name__ == "__main__":
    show(measure())
