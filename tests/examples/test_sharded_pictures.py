"""Pictures of the digits example are read in shards, to the table that they have in one piece."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alo.cli.main import main

pytest.importorskip("sklearn", reason="the examples need the extra 'examples'")

EXAMPLE = Path(__file__).parents[2] / "examples/digits"


def test_pictures_in_shards_have_the_table_that_they_have_in_one_piece(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "digits"
    shutil.copytree(EXAMPLE, home)
    artifacts = home / "inference_artifacts"
    assert main(["run", "--project", str(home), "--quiet"]) == 0
    whole = (artifacts / "output/output.csv").read_bytes()

    words = ["infer", "--files-per-shard", "40", "--jobs", "2", "--project", str(home)]
    assert main(words) == 0, capsys.readouterr().err

    assert (artifacts / "output/output.csv").read_bytes() == whole
    sheets = sorted(artifacts.glob("output/images/*/output.png"))
    assert [sheet.parent.name for sheet in sheets] == ["0000", "0001", "0002"]
