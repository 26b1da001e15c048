"""The step store: four steps hand on a 1 GB DataFrame, and each adds one small value.

The script plays the engine: load, let the step add its value, save. The baseline writes the frame's
memory once, with the same calls to the file system.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from alo.store import StepStore, StoredStep
from alo.store.blobs import PIECE
from benchmarks.processes import python, run
from benchmarks.rows import Row, show

if TYPE_CHECKING:
    import pandas

STEPS = 4
ROWS, COLUMNS = 12_500_000, 10
FRAME_BYTES = ROWS * COLUMNS * 8
EMPTY_STEPS = 200
ROUNDS = 5


class Cost(NamedTuple):
    """What a process says of the part that is measured, and its peak as the kernel counts it."""

    seconds: float
    written_bytes: int
    peak_bytes: int = 0


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        stored, plain = _by_turns(Path(folder), "steps", "plain")
        passed, _ = _by_turns(Path(folder), "passed", "plain")
        empty = _play_empty_steps(Path(folder) / "empty")
    what = f"{STEPS} steps hand on a 1 GB frame"
    return [
        Row(f"{what} : writing 1 GB", stored.seconds, plain.seconds, 2.5, "s"),
        Row(f"{what}, written : frame", stored.written_bytes, FRAME_BYTES, 1.05, "B"),
        Row(f"{what}, peak : frame", stored.peak_bytes, FRAME_BYTES, 1.3, "B"),
        Row("one step that only passes it on", passed.seconds * 1e3, None, None, "ms"),
        Row("one empty step in the store", empty * 1e3, None, 1.0, "ms"),
    ]


def _by_turns(folder: Path, *parts: str) -> list[Cost]:
    costs: dict[str, list[Cost]] = {part: [] for part in parts}
    for _ in range(ROUNDS):
        for part, seen in costs.items():
            with tempfile.TemporaryDirectory(dir=folder) as place:
                os.sync()  # the disk is idle, and no one pays for what the one before wrote
                usage, text = run(python("-m", __spec__.name, part, place))
            seen.append(Cost(*json.loads(text))._replace(peak_bytes=usage.peak_bytes))
    return [Cost(*map(median, zip(*seen, strict=True))) for seen in costs.values()]


def baseline(folder: Path) -> float:
    """Seconds that writing the frame's memory once takes."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        os.sync()
        _, text = run(python("-m", "benchmarks.storage.bench_store", "plain", place))
    return Cost(*json.loads(text)).seconds


def _play(part: str, folder: Path) -> Cost:
    data: dict[str, object] = {"frame": _frame()}
    if part == "plain":
        return _cost(lambda: _write_once(folder / "frame", data["frame"]))
    store = StepStore(folder)
    if part == "steps":
        return _cost(lambda: _play_steps(store, data, None))
    first = store.save("run", "train", "first", data, {})
    return _cost(lambda: _play_steps(store, store.load(first)[0], first, steps=1))


def _play_steps(
    store: StepStore, data: dict[str, object], incoming: StoredStep | None, steps: int = STEPS
) -> None:
    for number in range(steps):
        data[f"value {number}"] = number
        incoming = store.save("run", "train", f"step-{number}", data, {}, incoming=incoming)
        data.clear()  # the engine lets go of them before it loads them again
        data = store.load(incoming)[0]


def _play_empty_steps(folder: Path) -> float:
    store = StepStore(folder)
    config: dict[str, object] = {"meta": {"artifacts": {"input": "/a/path/"}, "step_number": 0}}
    stored = store.save("run", "train", "first", {}, config)
    start = perf_counter()
    for number in range(EMPTY_STEPS):
        data, config = store.load(stored)
        stored = store.save("run", "train", f"step-{number}", data, config, incoming=stored)
    return (perf_counter() - start) / EMPTY_STEPS


def _write_once(path: Path, frame: pandas.DataFrame) -> None:
    memory = memoryview(frame.to_numpy(copy=False).T).cast("B")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for position in range(0, len(memory), PIECE):
        os.pwrite(descriptor, memory[position : position + PIECE], position)
    os.close(descriptor)


def _frame() -> pandas.DataFrame:
    import numpy
    import pandas

    values = numpy.random.default_rng(0).random((COLUMNS, ROWS))
    return pandas.DataFrame(values.T, columns=list("abcdefghij"), copy=False)


def _cost(action: Callable[[], object]) -> Cost:
    written, start = _written(), perf_counter()
    action()
    return Cost(perf_counter() - start, _written() - written)


def _written() -> int:
    """Bytes that this process has handed to the kernel to write (Linux)."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(json.dumps(_play(sys.argv[1], Path(sys.argv[2]))))
    else:
        show(measure())
