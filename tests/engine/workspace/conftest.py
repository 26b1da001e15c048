"""Projects to run in, and workspaces in which runs have been made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.layout import Workspace

MakeSolution = Callable[..., Path]

TRAIN = "Path(self.asset.get_model_path(), 'model').write_text(f\"model {self.args['n']}\")"
USE = """\
self.asset.save_summary(Path(self.asset.get_model_path(), 'model').read_text(), 1)
Path(self.asset.get_output_path(), 'a.csv').write_text('a')
"""


@pytest.fixture
def home(make_solution: MakeSolution, tmp_path: Path) -> Path:
    """A solution with data for both of its pipelines, which has not run yet."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    return make_solution(
        {"train": TRAIN},
        {"inference": USE},
        args={"train": {"n": 1}},
        control={"interface_mode": "file", "cache": True},
        external={
            "load_train_data_path": str(tmp_path / "data"),
            "load_inference_data_path": str(tmp_path / "data"),
        },
    )


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One in which a train and an inference run have been made."""
    workspace = Workspace(tmp_path)
    for name in ("train_artifacts/models/train/model", "train_artifacts/log/pipeline.log"):
        write(tmp_path / name, "good")
    for name in ("inference_artifacts/output/output.csv", "inference_artifacts/log/process.log"):
        write(tmp_path / name, "good")
    return workspace
