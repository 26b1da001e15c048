"""History: listing ten thousand runs, and what keeping one costs a run. In memory."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from alo.history.entries.names import RECORD, entry_name
from alo.history.entries.save import save_entry
from alo.history.ids import new_run_id, utc_text
from alo.history.index.table import SETTLED_NS
from alo.history.record import RunRecord, StepRecord
from alo.history.retention import keep_within
from alo.layout import KINDS, Workspace
from benchmarks.processes import Command, Usage, alo, by_turns, in_memory, run
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution

RUNS, FEW = 10_000, 10
ROUNDS = 31
STEPS = tuple(f"step_{letter}" for letter in "abcde")
FIRST = 1_767_225_600.0  # 2026-01-01


def measure() -> list[Row]:
    with in_memory() as folder:
        homes = [Path(folder) / "many", Path(folder) / "few"]
        for home, runs in zip(homes, (RUNS, FEW), strict=True):
            write_empty_solution(home, len(STEPS))
            for number in range(runs):
                write_record(Workspace(home), record_of(number))
        first, _ = run(alo("history", "--project", homes[0]))
        save, keep = _measure_saving(Workspace(Path(folder) / "kept"), Workspace(homes[0]))
        rows = [*_measure_lists(homes[0]), _measure_runs(*homes), _measure_after_a_run(homes[0])]
    return [
        *rows,
        Row(f"index of {RUNS:,} runs made anew", first.wall_s, None, limit=None, unit="s"),
        Row(f"a run of {len(STEPS)} steps kept", save, None, limit=None, unit="ms"),
        Row(f"backup_size seen to, {RUNS:,} runs", keep, None, limit=None, unit="ms"),
    ]


def _measure_lists(home: Path) -> list[Row]:
    time.sleep(SETTLED_NS / 1e9 + 0.5)
    listing, filtering, version = by_turns(
        Command(alo("history", "--project", home)),
        Command(alo("history", "--project", home, "--param", "step_a.depth=3")),
        Command(alo("--version")),
        rounds=ROUNDS,
    )
    return [
        _row(f"alo history, {RUNS:,} runs : alo --version", listing, version, 1.5),
        _row("alo history --param : alo history", filtering, listing, 1.5),
    ]


def _measure_runs(many: Path, few: Path) -> Row:
    commands = [Command(alo("run", "--project", home)) for home in (many, few)]
    among_many, among_few = by_turns(*commands, rounds=ROUNDS)
    return _row(f"a run in a project with {RUNS:,} : with {FEW}", among_many, among_few, 1.05)


def _measure_after_a_run(home: Path) -> Row:
    after, version = by_turns(
        Command(alo("history", "--project", home), lambda: run(alo("run", "--project", home))),
        Command(alo("--version")),
        rounds=ROUNDS,
    )
    return _row("alo history in the second after a run : alo --version", after, version, 1.5)


def _row(what: str, measured: Usage, baseline: Usage, limit: float) -> Row:
    return Row(what, measured.wall_s * 1e3, baseline.wall_s * 1e3, limit, "ms")


def record_of(number: int) -> RunRecord:
    """A run as a long history has many."""
    started = FIRST + number * 60
    return RunRecord(
        id=new_run_id("benchmark", started),
        pipeline=KINDS[number % 2],
        status="success" if number % 10 else "error",
        start_time=utc_text(started),
        end_time=utc_text(started + 1),
        seconds=1.0,
        args={step: {"depth": number % 7, "rate": 0.1, "name": "x"} for step in STEPS},
        result="OK",
        score=0.9,
        note="a synthetic run",
        probability={"good": 0.9, "bad": 0.1},
        steps=tuple(StepRecord(step, "success", 0.2, 0.1, 10**8) for step in STEPS),
    )


def write_record(workspace: Workspace, record: RunRecord) -> None:
    """All of an entry that a list looks at."""
    entry = workspace.history / record.pipeline / entry_name(record.id, record.status)
    (entry / RECORD).parent.mkdir(parents=True)
    (entry / RECORD).write_text(json.dumps(record.to_json()))


def _measure_saving(few: Workspace, many: Workspace) -> tuple[float, float]:
    artifacts, code = few.artifacts("train"), {}
    for name in ("log/process.log", "log/pipeline.log", "models/train/model", "output/a.csv"):
        _write(artifacts / name)
    for step in STEPS:
        name = f"assets/{step}/asset_{step}.py"
        code[name] = _write(few.home / name)

    def save() -> None:
        save_entry(few, record_of(0), plan=b"name: x\n", artifacts=artifacts, code=code)

    return _milliseconds(save), _milliseconds(lambda: keep_within(many, 10_000, ()))


def _write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(2_000))
    return path


def _milliseconds(work: Callable[[], object]) -> float:
    seen = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        seen.append(time.perf_counter() - start)
    return median(seen) * 1e3


if __name__ == "__main__":
    show(measure())
