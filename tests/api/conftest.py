"""A project with both pipelines, opened from Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo

TRAIN = {
    "input": "self.data['rows'] = [1, 2, 3]; self.config['unit'] = 'mm'",
    "train": "self.data['sum'] = sum(self.data['rows']) * self.args['factor']\n"
    "Path(self.asset.get_model_path(), 'model').write_text(str(self.data['sum']))",
}
INFERENCE = {
    "inference": "model = Path(self.asset.get_model_path(), 'model').read_text()\n"
    "self.asset.save_summary(model, 1)\n"
    "Path(self.asset.get_output_path(), 'a.csv').write_text(model)"
}


@pytest.fixture
def make_home(make_solution: Callable[..., Path]) -> Callable[..., Path]:
    """Call it with ``control={...}`` and the like; returns the project's folder."""

    def make(**options: Any) -> Path:
        return make_solution(TRAIN, INFERENCE, args={"train": {"factor": 1}}, **options)

    return make


@pytest.fixture
def home(make_home: Callable[..., Path]) -> Path:
    return make_home()


@pytest.fixture
def project(home: Path) -> alo.Project:
    return alo.Project(home, listener=lambda event: None)


@pytest.fixture
def model(home: Path) -> Callable[[], str]:
    """Call it to get the model as it is now."""
    return (home / "train_artifacts/models/train/model").read_text
