"""Retraining `examples/breast_cancer`: a train run and two inferences, and what comes on top.

The baseline are the same runs as commands of their own: one `alo run --mode train`, and twice
`alo run --mode inference`.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from statistics import median

from benchmarks.processes import alo, in_memory, run
from benchmarks.rows import Row, show

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer"
DATASET = ("--dataset", "patients")
ROUNDS = 9


def measure() -> list[Row]:
    with in_memory() as folder:
        home = write_project(Path(folder) / "breast_cancer")
        whole: list[float] = []
        apart: list[float] = []
        for _ in range(ROUNDS):
            whole.append(run(_held_or_not("retrain", "--project", home, *DATASET))[0].wall_s)
            apart.append(sum(_run(home, mode) for mode in ("train", "inference", "inference")))
    what = "retrain of breast cancer : a train run and two inferences"
    return [Row(what, median(whole), median(apart), 1.3, "s")]


def _held_or_not(*arguments: str | Path) -> list[str]:
    """A command whose status says what the gate has come to: 3 is no error."""
    return ["/bin/sh", "-c", '"$@" || test $? -eq 3', "sh", *alo(*arguments)]


def _run(home: Path, mode: str) -> float:
    return run(alo("run", "--project", home, "--mode", mode))[0].wall_s


def write_project(home: Path) -> Path:
    """The example with a data set of all its patients, labelled as they were."""
    shutil.copytree(EXAMPLE, home, ignore=shutil.ignore_patterns("__pycache__"))
    run(alo("run", "--project", home, "--mode", "all"))
    run(alo("review", "new", "patients", "--project", home, "--random", "1000"))
    decisions = home.parent / "decisions.csv"
    _write_decisions(home, decisions)
    run(alo("review", "decide", "patients", "--project", home, "--from", decisions))
    run(alo("dataset", "make", "patients", "--project", home, "--review", "patients"))
    return home


def _write_decisions(home: Path, target: Path) -> None:
    with open(home / "sample_data" / "inference_truth.csv", newline="") as file:
        labels = {row["patient"]: row["diagnosis"] for row in csv.DictReader(file)}
    (output,) = home.glob("history/inference/*/output/output.csv")
    with open(output, newline="") as file:
        patients = [row["patient"] for row in csv.DictReader(file)]
    run_id = output.parent.parent.name
    with open(target, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "record", "verdict", "label"])
        for at, patient in enumerate(patients):
            writer.writerow([f"k{at}", f"{run_id}:{at}", "change", labels[patient]])


if __name__ == "__main__":
    show(measure())
