"""History: listing ten thousand runs, and what keeping one costs a run."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from alo.history.entry import save_entry
from alo.history.ids import new_run_id, utc_text
from alo.history.index import SETTLED_NS
from alo.history.names import RECORD, entry_name
from alo.history.record import RunRecord, StepRecord
from alo.history.retention import keep_within
from alo.layout import KINDS, Workspace
from benchmarks.processes import Command, alo, by_turns, run
from benchmarks.rows import Row, show

RUNS = 10_000
ROUNDS = 31
STEPS = tuple(f"step_{letter}" for letter in "abcde")
FIRST = 1_767_225_600.0  # 2026-01-01


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "many"
        workspace = Workspace(home)
        for number in range(RUNS):
            _write_record(workspace, _record(number))
        first, _ = run(alo("history", "--project", home))
        time.sleep(SETTLED_NS / 1e9 + 0.5)
        listing, filtering, version = by_turns(
            Command(alo("history", "--project", home)),
            Command(alo("history", "--project", home, "--param", "step_a.depth=3")),
            Command(alo("--version")),
            rounds=ROUNDS,
        )
        save, keep = _measure_saving(Workspace(Path(folder) / "few"), workspace)
    what = f"alo history, {RUNS:,} runs : alo --version"
    return [
        Row(what, listing.wall_s * 1e3, version.wall_s * 1e3, limit=1.5, unit="ms"),
        Row(
            "alo history --param : alo --version",
            filtering.wall_s * 1e3,
            version.wall_s * 1e3,
            limit=None,
            unit="ms",
        ),
        Row(f"index of {RUNS:,} runs made anew", first.wall_s, None, limit=None, unit="s"),
        Row(f"a run of {len(STEPS)} steps kept", save, None, limit=None, unit="ms"),
        Row(f"backup_size seen to, {RUNS:,} runs", keep, None, limit=None, unit="ms"),
    ]


def _record(number: int) -> RunRecord:
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


def _write_record(workspace: Workspace, record: RunRecord) -> None:
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
        save_entry(few, _record(0), plan=b"name: x\n", artifacts=artifacts, code=code)

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
