"""A project whose inference writes the rows that a test wants, and its runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

OUTPUT = """
rows = self.args["rows"]
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("id,prediction,p\\n")
    file.writelines(",".join(map(str, row)) + "\\n" for row in rows)
self.asset.save_summary("fine", 0.5, probability={"fine": 0.6, "poor": 0.4})
"""
ROWS: Sequence[Sequence[object]] = [
    [f"k{n}", "good" if n % 3 else "bad", round(0.5 + n / 50, 2)] for n in range(20)
]

Predict = Callable[..., str]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project with an inference pipeline that writes what its arg `rows` says."""
    return make_solution(inference={"infer": OUTPUT}, args={"infer": {"rows": []}})


@pytest.fixture
def predict(home: Path, run: Callable[..., object]) -> Predict:
    """``predict(rows)``: an inference run with these predictions; returns its id."""

    def predict_it(rows: Sequence[Sequence[object]] = ROWS, status: str = "success") -> str:
        plan = home / "solution/experimental_plan.yaml"
        content = json.loads(plan.read_text())
        content["user_parameters"]["inference_pipeline"][0]["args"] = {"rows": list(rows)}
        plan.write_text(json.dumps(content))
        (outcome,) = run(home, mode="inference")  # type: ignore[misc]
        assert outcome.status == status
        return str(outcome.run_id)

    return predict_it
