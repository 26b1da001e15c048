"""A chain of Luigi's tasks, each of which writes a file: the baseline of one more step.

A script of its own, which ``bench_steps`` starts: ``luigi_steps.py <folder> <tasks>``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import luigi


class Step(luigi.Task):  # type: ignore[misc]
    """Comes after the step of the number before it, and does as little as a task can."""

    folder = luigi.Parameter()
    number = luigi.IntParameter()

    def requires(self) -> Any:
        return Step(self.folder, self.number - 1) if self.number else []

    def output(self) -> Any:
        return luigi.LocalTarget(str(Path(self.folder) / f"{self.number}.json"))

    def run(self) -> None:
        with self.output().open("w") as file:
            file.write("{}")


if __name__ == "__main__":
    where, tasks = sys.argv[1:]
    last = Step(where, int(tasks) - 1)
    # One worker is this process. All else is as it comes, as it is with ALO.
    if not luigi.build([last], local_scheduler=True, workers=1):
        sys.exit("a task of Luigi's failed")
