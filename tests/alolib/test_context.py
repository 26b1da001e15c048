"""Where one step runs, from what its structure says or leaves out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alolib.context import StepContext
from alolib.messages import LogLine
from alolib.structure import AssetStructure


def context(**envs: object) -> StepContext:
    return StepContext(AssetStructure(envs))


def test_folders_follow_from_project_and_pipeline() -> None:
    found = context(project_home="/p", pipeline="inference_pipeline", step="use")

    assert (found.home, found.assets) == ("/p/", "/p/assets/")
    assert found.artifacts == "/p/inference_artifacts/"
    assert found.summary_file == "/p/inference_artifacts/score/inference_summary.yaml"
    assert found.args_place.endswith("user_parameters.inference_pipeline.use.args")


def test_a_rerun_has_the_assets_of_the_past_run() -> None:
    assert context(project_home="/p/", asset_home="/h/assets/").assets == "/h/assets/"


def test_what_is_left_out_has_a_default() -> None:
    found = context()

    assert found.home == f"{os.getcwd()}/"
    assert (found.kind, found.step, found.summary_version) == ("train", "step", "")
    assert context(solution_metadata_version=2).summary_version == "v2"


def test_a_line_goes_to_the_engine_with_the_place_of_the_asset() -> None:
    lines: list[LogLine] = []
    found = context()
    found.handover.emit = lines.append

    found.log("INFO", 42, True)

    (line,) = lines
    assert (line.source, line.level, line.text, line.show) == ("USER", "INFO", "42", True)
    assert line.file == "test_context.py"


def test_without_an_engine_it_is_printed_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.log"

    context(log_file_path=str(log)).log("WARNING", "odd \udc80 name")

    assert "odd \\udc80 name" in capsys.readouterr().out
    assert "odd \\udc80 name\n" in log.read_text()
