"""A project whose train run learns as its args say, to be swept, and what became of a sweep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., tuple[int, str, str]]

PREPARE = """
with open(self.args["count"], "a") as file:
    file.write("x")
self.data["rows"] = [1, 2, 3]
"""
TRAIN = """
import os, signal, time
x = self.args["x"]
if self.args["how"] == "fail" and x != 1:
    raise ValueError("no good")
if self.args["how"] == "slow":
    time.sleep(0.3)
if self.args["how"] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(str(x))
if self.args["how"] != "mute":
    self.asset.save_metric("loss", (x - 3) ** 2 + self.args["seed"])
    self.asset.save_summary("ok", 1 / (1 + abs(x - 3)) / 1.0001)
"""


def write_swept_project(make_solution: Callable[..., Path], folder: Path) -> Path:
    """A project of two steps; the first counts its runs in a file of a folder."""
    return make_solution(
        {"prepare": PREPARE, "train": TRAIN},
        args={
            "prepare": {"count": str(folder / "count")},
            "train": {"x": 2, "how": "", "seed": 0},
        },
    )


def shown(command: Command, name: str) -> dict[str, Any]:
    """The sweep as ``alo sweep show`` has it."""
    status, out, err = command("sweep", "show", name, "--json")
    assert (status, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found
