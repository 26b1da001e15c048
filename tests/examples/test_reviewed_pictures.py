"""Pictures of the digits example are reviewed, and become train data in the form that it has."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "examples/digits"

pytest.importorskip("sklearn", reason="the examples need the extra 'examples'")

Command = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The example, its pictures in folders, and beside it the same with a table of labels."""
    home = tmp_path / "digits"
    for part in ("assets", "sample_data", "solution"):
        shutil.copytree(EXAMPLE / part, home / part)
    (home / "labelled/img").mkdir(parents=True)
    with (home / "labelled/labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label"])
        for path in sorted((home / "sample_data/train").rglob("*.png")):
            shutil.copy(path, home / "labelled/img")
            writer.writerow([f"img/{path.name}", path.parent.name])
    return home


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: str) -> str:
        assert main([*words, "--project", str(home)]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return call


def test_both_forms_of_train_data_get_what_people_said(command: Command, home: Path) -> None:
    command("run", "--quiet")
    command("review", "new", "folders", "--random", "30", "--seed", "1")
    command("review", "new", "table", "--random", "30", "--seed", "1", "--truth", "labels.csv:file")
    items = json.loads(command("review", "show", "table", "--json"))["items"]
    lines = [{"record": each["record"], "verdict": "accept"} for each in items]
    lines[0] = {"record": items[0]["record"], "verdict": "change", "label": "8"}
    (home / "said.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("folders", "table"):
        command("review", "decide", name, "--from", str(home / "said.jsonl"))

    made = {
        name: json.loads(
            command("dataset", "make", "d", "--review", name, "--base", base, "--json")
        )
        for name, base in (("folders", "sample_data/train"), ("table", "labelled"))
    }

    counts = [each["counts"] for each in made.values()]
    assert counts[0] == counts[1]
    assert counts[0]["pictures_missing"] == 0
    assert sum(counts[0]["train"].values()) == 300 + 30 - sum(counts[0]["test"].values())
    folders = home / "datasets/d/v1/train/train"
    in_folders = {path.name: path.parent.name for path in folders.rglob("*.png")}
    table = home / "datasets/d/v2/train/labelled/labels.csv"
    with table.open(newline="") as file:
        in_table = {Path(row["file"]).name: row["label"] for row in csv.DictReader(file)}
    assert in_folders == in_table
    assert len(list(table.parent.rglob("*.png"))) == len(in_table)
