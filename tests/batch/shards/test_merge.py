"""What shards have left becomes the artifacts of one run, and nothing of it is lost."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from alo.batch.shards.merge import FailedRow, merge, steps_of, write_failed_rows
from alo.batch.shards.result import Manifest, manifest_of

from .conftest import entry


def result(
    folder: Path, shard: str, table: bytes = b"", name: str = "output.csv"
) -> tuple[Path, Manifest]:
    """A shard's, with what else an asset may leave."""
    made = entry(folder / f"run-{shard}", table, name)
    if not table:
        (made / "output" / name).unlink()
        (made / "output" / "sheet.png").write_bytes(shard.encode())
    for place in ("extra_output/answer/more.txt", "score/inference_metrics.jsonl", "output/sub/a"):
        (made / place).parent.mkdir(parents=True, exist_ok=True)
        (made / place).write_text(shard)
    (made / "assets/answer").mkdir(parents=True)
    (made / "assets/answer/asset_answer.py").write_text("code")
    return made, manifest_of(made, shard=shard, rows=1, weight=1, digest="d", ids={}, code={})


def files_in(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_tables_are_one_and_all_else_is_below_the_shards_names(tmp_path: Path) -> None:
    results = [result(tmp_path, "0000", b"x\n1\n"), result(tmp_path, "0001", b"x\n2\n")]

    merged = merge(results, tmp_path / "artifacts")

    assert (merged.table, merged.rows, merged.counts_on, merged.images) == (
        "output.csv",
        2,
        False,
        0,
    )
    found = files_in(tmp_path / "artifacts")
    assert found == {
        "output/output.csv": "x\n1\n2\n",
        **{
            place.format(shard): text or shard
            for shard in ("0000", "0001")
            for place, text in {
                "extra_output/{}/answer/more.txt": "",
                "score/{}/inference_metrics.jsonl": "",
                "output/sub/{}/a": "",
                "log/{}/process.log": "done\n",
            }.items()
        },
    }


def test_pictures_are_kept_by_shard(tmp_path: Path) -> None:
    results = [result(tmp_path, "0000"), result(tmp_path, "0001")]

    merged = merge(results, tmp_path / "artifacts")

    assert (merged.table, merged.images) == ("", 2)
    assert (tmp_path / "artifacts/output/images/0001/sheet.png").read_bytes() == b"0001"


def test_tables_of_several_names_get_the_first_and_that_is_said(tmp_path: Path) -> None:
    results = [
        result(tmp_path, "0000", b"x\n1\n", "a.csv"),
        result(tmp_path, "0001", b"x\n2\n", "b.CSV"),
    ]

    merged = merge(results, tmp_path / "artifacts")

    assert merged.table == "a.csv"
    assert merged.notes == ("the shards gave their tables 2 names; all rows are in a.csv",)
    assert (tmp_path / "artifacts/output/a.csv").read_bytes() == b"x\n1\n2\n"


def test_seconds_of_steps_are_added_up_and_of_memory_it_is_the_most(tmp_path: Path) -> None:
    for shard, seconds, peak in (("0000", 1.5, 10), ("0001", 2.0, 7)):
        made = entry(tmp_path / shard, b"x\n")
        path = made / "log/experimental_history.json"
        step = {
            "name": "answer", "status": "success", "seconds": seconds, "cpu_seconds": 0.5,
            "peak_bytes": peak, "data_keys": [],
        }  # fmt: skip
        path.write_text(json.dumps({**json.loads(path.read_text()), "steps": [step]}))

    (step_record,) = steps_of([tmp_path / "0000", tmp_path / "0001"])

    assert (step_record.seconds, step_record.cpu_seconds, step_record.peak_bytes) == (3.5, 1.0, 10)


def test_failed_rows_have_their_columns_their_place_and_their_error(tmp_path: Path) -> None:
    rows = [
        FailedRow({"a": "1", "b": 'x"\ny'}, "m/a.csv", 3, "it broke"),
        FailedRow({}, "m/b.png", None, "no picture"),
    ]

    write_failed_rows(["a", "b"], rows, tmp_path)

    with open(tmp_path / "extra_output/alo/failed_rows.csv", newline="") as file:
        table = list(csv.reader(file))
    assert table == [
        ["a", "b", "_alo_source", "_alo_row", "_alo_error"],
        ["1", 'x"\ny', "m/a.csv", "3", "it broke"],
        ["", "", "m/b.png", "", "no picture"],
    ]
