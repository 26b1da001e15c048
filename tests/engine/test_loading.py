"""What a run needs is brought in: its data, and for an inference the models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple]


MakeSolution = Callable[..., Path]


SUMMARY = "self.asset.save_summary('fine', 0.5, note='n', probability={'a': 0.25, 'b': 0.75})"


OUTPUT = SUMMARY + "\nPath(self.asset.get_output_path(), 'output.csv').write_text('a,b\\n1,2\\n')"


def test_the_inference_that_follows_a_training_knows_which_run_made_its_model(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"train": "Path(self.asset.get_model_path(), 'm').write_text('model')"},
        {
            "inference": "assert Path(self.asset.get_model_path(), 'm').read_text() == 'model'\n"
            + OUTPUT
        },
    )

    (trained,) = run(home, "train")
    (inferred,) = run(home, "inference")

    record = json.loads((inferred.history / "log/experimental_history.json").read_text())
    assert record["train_id"] == trained.run_id


def test_data_is_staged_and_an_unchanged_plan_and_data_give_the_same_ids(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/file.csv").write_text("1,2\n")
    home = make_solution(
        {"input": "assert Path(self.asset.get_input_path(), 'data/file.csv').is_file()"},
        external={"load_train_data_path": str(tmp_path / "data")},
    )

    records = [
        json.loads((run(home)[0].history / "log/experimental_history.json").read_text())
        for _ in range(2)
    ]

    assert (home / "input/train/data/file.csv").read_text() == "1,2\n"
    for name in ("data_id", "code_id", "param_id"):
        assert records[0][name] == records[1][name]
        assert len(records[0][name]) == 12
