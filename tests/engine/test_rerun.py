"""A past run can be run again from its history entry alone, to the same ids (spec 8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.rerun import rerun
from alo.errors import HistoryError, RunError
from alo.history.browse import History
from alo.layout import Workspace

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

SAVE = "Path(self.asset.get_model_path(), 'model').write_text(repr(self.args))"
USE = """\
model = Path(self.asset.get_model_path(), 'model').read_text()
self.asset.save_summary('used', 1, note=model)
Path(self.asset.get_output_path(), 'a.csv').write_text(model)
"""


def record(outcome) -> dict:  # type: ignore[no-untyped-def, type-arg]
    return json.loads((outcome.history / "log/experimental_history.json").read_text())


def test_a_train_run_comes_out_the_same_after_plan_and_assets_have_changed(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, args={"train": {"n": 1}})
    (first,) = run(home, overrides=("train.n=7",))
    make_solution({"train": "raise SystemExit"}, args={"train": {"n": 2}})

    again = rerun(home, first.run_id, lambda event: None)

    assert again.run_id != first.run_id
    for name in ("data_id", "code_id", "param_id", "args"):
        assert record(again)[name] == record(first)[name]
    assert (home / "train_artifacts/models/train/model").read_text() == "{'n': 7}"


def test_the_folder_of_all_assets_is_that_of_the_past_run(
    make_solution: MakeSolution, run: Run
) -> None:
    seen = "self.data['seen'] = Path(self.asset.asset_home, 'train/beside.txt').read_text()"
    home = make_solution({"train": seen, "check": "assert self.data['seen'] == 'then'"})
    (home / "assets/train/beside.txt").write_text("then")
    (first,) = run(home)
    (home / "assets/train/beside.txt").write_text("now")

    again = rerun(home, first.run_id, lambda event: None)

    assert record(again)["code_id"] == record(first)["code_id"]


def test_an_inference_is_run_again_with_the_model_that_it_used(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, {"inference": USE}, args={"train": {"n": 1}})
    _, first = run(home)
    run(home, "train", overrides=("train.n=2",))

    again = rerun(home, first.run_id, lambda event: None)

    assert record(again)["train_id"] == record(first)["train_id"]
    assert (home / "inference_artifacts/output/a.csv").read_text() == "{'n': 1}"
    # the model of the last train run is the current one again
    assert (home / "train_artifacts/models/train/model").read_text() == "{'n': 2}"


def test_other_data_than_that_of_the_run_is_refused_and_named(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/table.csv").write_text("1")
    home = make_solution({"train": SAVE}, external={"load_train_data_path": str(tmp_path / "data")})
    (first,) = run(home)
    (tmp_path / "data/table.csv").write_text("22")

    with pytest.raises(RunError, match=r"data/table\.csv"):
        rerun(home, first.run_id, lambda event: None)


def test_a_missing_entry_and_a_missing_model_are_told(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": SAVE}, {"inference": USE})
    trained, inferred = run(home)
    run(home, "train")
    History(Workspace(home)).remove([trained.run_id])

    with pytest.raises(HistoryError):
        rerun(home, "20000101T000000Z", lambda event: None)
    with pytest.raises(HistoryError, match=trained.run_id):
        rerun(home, inferred.run_id, lambda event: None)
