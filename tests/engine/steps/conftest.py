"""A project of three steps that are cached, and what became of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.events.types import StepFinished

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

ONE = """\
self.data['one'] = [1, 2]
self.config['seen'] = 'one'
Path(self.asset.get_model_path(), 'model').write_text('model of one')
Path(self.asset.get_extra_output_path(), 'empty').mkdir()
"""
TWO = """\
import helper
self.data['two'] = [*self.data['one'], self.args['n'], helper.NAME]
self.asset.save_summary(str(self.data['two']), 0.5)
"""
THREE = """\
Path(self.asset.get_output_path(), 'seen').write_text(
    f"{self.data} {self.config['seen']}"
)
"""


@pytest.fixture(params=["memory", "file"])
def home(request: pytest.FixtureRequest, make_solution: MakeSolution, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    home = make_solution(
        {"one": ONE, "two": TWO, "three": THREE},
        args={"two": {"n": 5}},
        control={"cache": True, "interface_mode": request.param},
        external={"load_train_data_path": str(tmp_path / "data")},
    )
    (home / "assets/two/helper.py").write_text("NAME = 'helper'\n")
    return home


@pytest.fixture
def again(run: Run, heard: Any) -> Callable[..., dict[str, str]]:
    """Run; what became of each step: ``cached``, or why it ran."""

    def call(home: Path, **options: Any) -> dict[str, str]:
        heard.clear()
        run(home, **options)
        return {step.step: step.note for step in heard.of(StepFinished)}

    return call
