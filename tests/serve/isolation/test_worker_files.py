"""A worker's model is its own: whatever an asset writes into it reaches no one else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo import copies
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.workers.warm_pipeline import WarmPipeline

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]


@pytest.mark.parametrize("place", ["train_artifacts", "history"])
def test_a_large_model_of_a_worker_is_no_second_name_of_the_projects(
    place: str, make_solution: MakeSolution, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_clone", lambda source, target: False)
    size = 20_000_000
    write = f"Path(self.asset.get_model_path(), 'model').write_bytes(bytes({size}))"
    home = make_solution({"train": write}, {"use": ""})
    (outcome,) = run(home, "train")
    models = (home / place if place == "train_artifacts" else outcome.history) / "models"
    (job,) = check_solution(RunRequest(home, mode="inference")).jobs

    warm = WarmPipeline(job, home / ".alo/serve/worker", models, outcome.run_id, lambda event: None)
    with open(warm.workspace.models / "train/model", "r+b") as file:
        file.write(b"spoilt")

    assert (models / "train/model").read_bytes() == bytes(size)
    assert (models / "train/model").stat().st_nlink == 1
