"""What a task names is in the workspace of a process, and what it has made comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.executors.test_local import jobs_of, results, task

from alo.executors.depot import Depot
from alo.executors.local import LocalExecutor
from alo.executors.task import ERROR, SHARD, SUCCESS, Result


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    folders = []
    for number in range(3):
        folder = tmp_path / f"shard-{number}/data"
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text(f"rows of {number}")
        folders.append(folder.parent)
    return folders


SHARD_STEP = """
with open(self.asset.get_input_path() + "data/rows.csv") as file:
    rows = file.read()
if "2" in rows:
    raise ValueError(rows)
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write(rows + open(self.asset.get_model_path() + "m").read())
self.asset.save_summary("ok", 0.5, note=rows)
"""


def test_a_shard_gives_a_folder_back_and_is_in_no_history(
    make_solution: Callable[..., Path], shards: list[Path], tmp_path: Path
) -> None:
    home = make_solution(inference={"inference": SHARD_STEP})
    models = tmp_path / "models"
    (models / "train").mkdir(parents=True)
    (models / "train/m").write_text(" by m")
    depot = Depot()
    made = LocalExecutor(jobs_of(home), 1, depot)
    try:
        found = results(
            made,
            *[
                task(
                    number, "", kind=SHARD, pipelines=("inference",), args={},
                    inputs={"inference": depot.add_folder(each)},
                    model=depot.add_folder(models),
                )
                for number, each in enumerate(shards)
            ],
        )  # fmt: skip
        for number in (0, 1):
            result = found[str(number)]
            assert isinstance(result, Result)
            assert result.status == SUCCESS, result.error
            assert result.output is not None
            text = (result.output / "output/output.csv").read_text()
            assert text == f"rows of {number} by m"
            assert (result.output / "log/pipeline.log").is_file()
            assert (result.output / "log/experimental_history.json").is_file()
            assert result.runs[0].note == f"rows of {number}"
        failed = found["2"]
        assert isinstance(failed, Result)
        assert (failed.status, "ValueError: rows of 2" in failed.error) == (ERROR, True)
        assert failed.output is not None
        assert (failed.output / "log/pipeline.log").is_file()
        assert [str(path) for path in shards[0].rglob("*.csv")] == [
            str(shards[0] / "data/rows.csv")
        ]
    finally:
        made.close()
    assert not (home / "history/inference").exists()
