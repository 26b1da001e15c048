"""Models that a failed inference has spoilt are those of the train run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import StepError

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
GOOD = "Path(self.asset.get_model_path(), 'model').write_text(f\"model {self.args['n']}\")"


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


@pytest.fixture
def trained(make_solution: MakeSolution, run: Run) -> Path:
    """A solution that has made ``model 1``, and whose next run would make ``model 2``."""
    home = make_solution({"train": GOOD}, args={"train": {"n": 1}})
    run(home)
    return home


@pytest.mark.parametrize(
    "spoil",
    [
        "Path(self.asset.project_home, 'train_artifacts/models/train/model').write_text('bad')",
        "import shutil; shutil.rmtree(self.asset.project_home + 'train_artifacts')",
    ],
)
def test_a_failed_inference_that_has_spoilt_the_model_gets_it_restored(
    spoil: str, trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": GOOD}, {"use": f"{spoil}\n1 / 0"}, args={"train": {"n": 1}})

    with pytest.raises(StepError):
        run(trained, "inference")

    assert model(trained) == "model 1"


def test_where_times_are_whole_seconds_a_model_that_was_spoilt_within_one_is_found(
    make_solution: MakeSolution, run: Run
) -> None:
    write = "path = Path(self.asset.get_model_path(), 'model'); path.write_text('{}')\n"
    tick = "import os; os.utime(path, (1_700_000_000, 1_700_000_000))"
    home = make_solution(
        {"train": write.format("good") + tick},
        {"inference": write.format("bad!") + tick + "\n1 / 0"},
    )

    with pytest.raises(StepError):
        run(home)

    assert model(home) == "good"
