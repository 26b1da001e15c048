"""What a step is given, afresh each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple]


MakeSolution = Callable[..., Path]


def test_meta_is_what_the_api_page_promises_and_fresh_at_each_step(
    make_solution: MakeSolution, run: Run
) -> None:
    keep = "Path(self.asset.get_extra_output_path(), 'm').write_text(repr(self.config['meta']))"
    home = make_solution({"a": f"{keep}; self.config['meta'] = 'gone'", "b": keep})

    run(home)

    first, second = (
        eval((home / f"train_artifacts/extra_output/{step}/m").read_text())  # noqa: S307
        for step in "ab"
    )
    assert first == {
        "artifacts": {
            "input": f"{home}/input/",
            "train_artifacts": f"{home}/train_artifacts/",
            "inference_artifacts": f"{home}/inference_artifacts/",
            ".asset_interface": f"{home}/.asset_interface/",
            "history": f"{home}/history/",
        },
        "pipeline": "train_pipeline",
        "step_number": 0,
        "step": 0,
        "step_name": "a",
    }
    assert second == {**first, "step_number": 1, "step": 1, "step_name": "b"}
