"""Reviews of 100,000 records: made, shown, estimated, decided; one record followed. In memory.

The records are those of ten runs, in tables as `examples/breast_cancer` has them: a key and 30
measurements in the input; in the output these, the prediction and a probability. What is shown is
measured beside `alo --version`, which starts as well.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from alo.layout import Workspace
from benchmarks.improve.reviewed import MEANING, write_project
from benchmarks.processes import Command, alo, by_turns, in_memory, run
from benchmarks.rows import Row, show
from benchmarks.storage.bench_history import RUNS, record_of, write_record
from benchmarks.studio.bench_studio import get, studio

INPUTS, ROWS = 10, 10_000  # runs, and rows of each
QUEUE = ("--random", "1000", "--uncertain", "1000", "--seed", "1")
DECISIONS = 10_000
ROUNDS, LOOKS = 5, 7
OPENED = "/reviews/r"
FILTERED = f"{OPENED}?source=none&predicted=benign"
SEARCHED = f"{OPENED}?q=P099999"


def measure() -> list[Row]:
    with in_memory() as folder:
        home = Path(folder) / "project"
        tables = write_project(home, INPUTS, ROWS)
        return [
            _measure_new(home, tables),
            *_measure_looks(home),
            *_measure_open(home),
            _measure_decisions(home),
            _measure_trace(home),
        ]


def _measure_new(home: Path, tables: Sequence[Path]) -> Row:
    made, read = [], []
    for _ in range(ROUNDS):
        shutil.rmtree(home / "studio", ignore_errors=True)
        made.append(run(_new(home, "r", *QUEUE))[0].wall_s)
        read.append(_read_all(tables))
    what = "alo review new over 100,000 records : their CSVs read with csv, without a start"
    return Row(what, median(made), median(read), 3, "s")


def _new(home: Path, name: str, *queue: str) -> list[str]:
    return alo("review", "new", name, "--project", home, *MEANING, *queue)


def _read_all(tables: Sequence[Path]) -> float:
    start = time.perf_counter()
    for path in tables:
        with open(path, newline="") as file:
            for _ in csv.reader(file):
                pass
    return time.perf_counter() - start


def _measure_looks(home: Path) -> list[Row]:
    actions = (("list",), ("show", "r"), ("accuracy", "r"))
    commands = [Command(alo("review", *action, "--project", home)) for action in actions]
    *looks, start = by_turns(*commands, Command(alo("--version")), rounds=LOOKS)
    return [
        Row(
            f"alo review {action[0]}, 100,000 records, beyond alo --version",
            (look.wall_s - start.wall_s) * 1e3,
            None,
            300,
            "ms",
        )
        for action, look in zip(actions, looks, strict=True)
    ]


def _measure_open(home: Path) -> list[Row]:
    """The page of the review: the first time in a studio's life, and then."""
    first: list[float] = []
    for _ in range(ROUNDS):
        with studio(home) as opened:
            get(opened.port, "/reviews")
            first.append(_milliseconds(opened.port, OPENED))
    with studio(home) as opened:
        get(opened.port, OPENED)
        again = [_milliseconds(opened.port, OPENED) for _ in range(LOOKS)]
        filtered = [_milliseconds(opened.port, FILTERED) for _ in range(LOOKS)]
        text = [_milliseconds(opened.port, SEARCHED) for _ in range(LOOKS)]
    return [
        Row(
            "review_open: a review over 100,000 records, the first time",
            median(first),
            None,
            300,
            "ms",
        ),
        Row("the same again", median(again), None, 300, "ms"),
        Row("records outside of the queue, of one prediction", median(filtered), None, 300, "ms"),
        Row("a text in any of 100,000 records", median(text), None, None, "ms"),
    ]


def _milliseconds(port: int, path: str) -> float:
    start = time.perf_counter()
    get(port, path)
    return (time.perf_counter() - start) * 1e3


def _measure_decisions(home: Path) -> Row:
    name = "decided"
    run(_new(home, name, "--random", str(DECISIONS)))
    file = home.parent / "decisions.csv"
    run_id = min(path.name for path in (home / "history" / "inference").iterdir())
    lines = [f"k{n},{run_id}:{n},accept\n" for n in range(DECISIONS)]
    file.write_text("key,record,verdict\n" + "".join(lines))
    start = median(run(alo("--version"))[0].wall_s for _ in range(LOOKS))
    decided, _ = run(alo("review", "decide", name, "--project", home, "--from", file))
    what = f"alo review decide of {DECISIONS:,}, beyond alo --version"
    return Row(what, decided.wall_s - start, None, 1, "s")


def _measure_trace(home: Path) -> Row:
    run_id = min(path.name for path in (home / "history" / "inference").iterdir())
    for number in range(INPUTS, RUNS):
        write_record(Workspace(home), record_of(number))
    trace = Command(alo("trace", f"{run_id}:7", "--project", home))
    found, start = by_turns(trace, Command(alo("--version")), rounds=LOOKS)
    what = f"alo trace of a record, {RUNS:,} runs, 100,000 records, beyond alo --version"
    return Row(what, (found.wall_s - start.wall_s) * 1e3, None, None, "ms")


if __name__ == "__main__":
    show(measure())
