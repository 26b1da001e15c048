"""Processes that are killed while they store, and processes that share a store."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from alo.store import StepStore

KILLS = 12
STEPS = 4
WRITER = """
import sys, pathlib
import numpy as np
from alo.store import StepStore

store = StepStore(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2]), 1 << 30):
    stored = None
    data = {"fixed": np.zeros(200_000), "fresh": np.full(300_000, number)}
    for step in range(4):
        data["step"] = step
        stored = store.save("run", "train", f"step {step}", data, {}, incoming=stored)
        data, _ = store.load(stored)
        data["fresh"] += 1
    if number % 3 == 2:
        store.forget(["run"])
"""

SHARER = """
import sys, pathlib
import numpy as np
from alo.store import StepStore

root, name = pathlib.Path(sys.argv[1]), sys.argv[2]
for turn in range(40):
    run, store = f"{name}-{turn}", StepStore(root)
    first = store.save(run, "train", "one", {"x": np.full(20_000, turn % 3)}, {})
    data, _ = StepStore(root).load(first)
    second = store.save(run, "train", "two", data, {}, incoming=first)
    again, _ = StepStore(root).load(second)
    assert (again["x"] == turn % 3).all()
    store.forget([run])
"""


def test_a_kill_at_any_moment_leaves_only_whole_steps(root: Path) -> None:
    seed = random.Random(5)  # noqa: S311 - moments, not secrets
    found = 0
    for turn in range(KILLS):
        _write_and_kill(root, turn * 1000, seed.uniform(0.005, 0.1))
        store = StepStore(root)
        for step in range(STEPS):
            stored = store.find("run", "train", f"step {step}")
            if stored is not None:
                found += 1
                data, _ = store.load(stored)
                _look_at(data, step)

    store.save("after", "train", "input", {}, {})
    assert list((root / "unfinished").iterdir()) == []
    store.forget(["run"])
    assert list((root / "blobs").iterdir()) == []
    assert found


def test_runs_that_share_a_store_do_not_take_from_each_other(root: Path) -> None:
    command = [sys.executable, "-c", SHARER, str(root)]

    sharers = [subprocess.Popen([*command, name]) for name in ("one", "two", "three")]

    assert [sharer.wait() for sharer in sharers] == [0, 0, 0]
    assert list((root / "blobs").iterdir()) == []
    assert list((root / "unfinished").iterdir()) == []


def _write_and_kill(root: Path, first: int, seconds: float) -> None:
    command = [sys.executable, "-c", WRITER, str(root), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()


def _look_at(data: dict[str, object], step: int) -> None:
    fixed, fresh = data["fixed"], data["fresh"]
    assert isinstance(fixed, np.ndarray)
    assert isinstance(fresh, np.ndarray)
    assert data["step"] == step
    assert not fixed.any()
    assert (fresh == fresh[0]).all()
