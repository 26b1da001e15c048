"""The model of a service is the one it began with: no train run, asset or worker changes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import OUTPUT, Edge, RunningLoop

MakeSolution = Callable[..., Path]
StartLoop = Callable[..., RunningLoop]
Run = Callable[..., Any]

LARGE = 17_000_000  # bytes; files of this size used to be shared
TRAIN = f"""
with open(Path(self.asset.get_model_path(), "m"), "w") as file:
    file.write(str(self.args["word"]).ljust({LARGE}))
"""
USE = f"""
path = Path(self.asset.get_model_path(), "m")
with open(path) as file:
    self.data["result"] = file.read(20).strip()
if self.args.get("spoil"):
    path.chmod(0o644)
    with open(path, "r+") as file:
        file.write("spoilt".ljust(20))
{OUTPUT}
"""


def trained(home: Path, kind: str) -> list[Path]:
    """The model's file in the project, and in history."""
    return [home / "train_artifacts/models/train/m", *home.glob(f"history/{kind}/*/models/train/m")]


def result(edge: Edge, **args: object) -> str:
    summary, _ = edge.ask(args={"inference": args})
    assert summary["status"] == "success", summary
    found: str = summary["message"]["result"]
    return found


@pytest.mark.parametrize("keeps_history", [True, False])
def test_a_worker_that_is_started_again_has_the_same_model(
    keeps_history: bool, make_solution: MakeSolution, run: Run, loop: StartLoop, edge: Edge
) -> None:
    control = {"backup_artifacts": keeps_history}
    args = {"train": {"word": "one"}}
    home = make_solution({"train": TRAIN}, {"inference": USE}, args=args, control=control)
    run(home, mode="train")
    running = loop(home)
    assert result(edge) == "one"
    run(home, mode="train", overrides=("train.word=two",))

    (worker,) = running.workers()
    os.kill(worker, signal.SIGKILL)

    assert result(edge) == "one"
    assert running.workers() != [worker]


def test_an_asset_that_writes_into_the_model_changes_neither_project_nor_history(
    make_solution: MakeSolution, run: Run, loop: StartLoop, edge: Edge
) -> None:
    args = {"train": {"word": "one"}}
    home = make_solution({"train": TRAIN}, {"inference": USE}, args=args)
    run(home, mode="train")
    loop(home, "--workers", "2")

    for _ in range(4):
        result(edge, spoil=True)

    files = trained(home, "train")
    assert len(files) == 2
    for path in files:
        with open(path) as file:
            assert file.read(20).strip() == "one"
