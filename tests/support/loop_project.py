"""A project for the whole loop: a model, results that a person has reviewed, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.cli.main import main
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.loop.accuracy_of import every_item
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews

# Learns from which x on rows are bad; `worst` says the opposite, `fail` and `mute` fail, `hang` and
# `stuck` wait, `short` leaves a row out; `refuse` fails and `sleep` waits where a service asks its
# sample; `wipe` deletes a folder while it learns.
TRAIN = """
import csv, json

if self.args["how"] == "fail":
    raise ValueError("it cannot learn")
if self.args["how"] == "hang":
    import os, signal

    Path(os.environ["RETRAIN_PID"]).write_text(str(os.getpid()))
    signal.pause()
if self.args["how"] == "wipe":
    import os, shutil

    shutil.rmtree(os.environ["RETRAIN_WIPES"])
rows = []
for path in sorted(Path(self.asset.get_input_path()).rglob("*.csv")):
    with path.open() as file:
        rows += list(csv.DictReader(file))
bad = [float(row["x"]) for row in rows if row["kind"] == "bad"]
model = {"from": min(bad, default=1e9), "how": self.args["how"]}
Path(self.asset.get_model_path(), "model.json").write_text(json.dumps(model))
self.asset.save_summary("learned", 0.9)
"""
INFER = """
import csv, json

model = json.loads(Path(self.asset.get_model_path(), "model.json").read_text())
if model["how"] == "mute":
    raise ValueError("it has nothing to say")
if model["how"] == "stuck":
    import os, signal

    Path(os.environ["RETRAIN_PID"]).write_text(str(os.getpid()))
    signal.pause()
rows = []
for path in sorted(Path(self.asset.get_input_path()).rglob("*.csv")):
    with path.open() as file:
        rows += list(csv.DictReader(file))
if any(row["id"] == "sample" for row in rows):
    if model["how"] == "refuse":
        raise ValueError("it does not answer this")
    if model["how"] == "sleep":
        import time

        time.sleep(3600)
rows = rows[: -1 if model["how"] == "short" else None]
is_bad = lambda row: (float(row["x"]) >= model["from"]) != (model["how"] == "worst")
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("id,prediction\\n")
    file.writelines(f"{row['id']},{'bad' if is_bad(row) else 'good'}\\n" for row in rows)
self.asset.save_summary("fine", 0.5)
"""
Command = Callable[..., tuple[int, str, str]]
LAX = ("--gate", "min_rows=5", "--gate", "max_loss=0.3")


def write_loop_project(make_solution: Callable[..., Path], **options: object) -> Path:
    """A project whose train data knows nothing above 50, where bad begins at 60."""
    home = make_solution(
        train={"train": TRAIN},
        inference={"inference": INFER},
        args={"train": {"how": "well"}},
        beside={"train": {"ui_args": ["how"]}},
        external={"load_train_data_path": "./known/", "load_inference_data_path": "./asked/"},
        **options,
    )
    for folder, header, numbers in (
        ("known", "id,x,kind", range(50)),
        ("asked", "id,x", range(100)),
    ):
        (home / folder).mkdir()
        rows = [f"a{n},{n},good" if folder == "known" else f"k{n},{n}" for n in numbers]
        (home / folder / "rows.csv").write_text("\n".join([header, *rows, ""]))
    return home


def caller(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """``command("review", "list")``: in the project; its status, and what it has written."""

    def call(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main([*words, "--project", str(home)])
        return status, *capfd.readouterr()

    return call


def review_results(home: Path, labelled: int = 100) -> None:
    """Run both pipelines, and make the review `r` of the results, with so many of them labelled."""
    at = ("--project", str(home))
    assert main(["run", "--quiet", *at]) == 0
    new = ["review", "new", "r", "--random", "100", "--key", "id", "--label", "kind", "--seed", "1"]
    assert main([*new, "--labels", "good", "bad", *at]) == 0
    database = open_database(Workspace(home))
    try:
        items = every_item(Reviews(database), Reviews(database).get("r"))[:labelled]
        decisions = [
            NewDecision(
                key=f"k{number}",
                record=each.id,
                verdict="change",
                label="bad" if int(each.id.rpartition(":")[2]) >= 60 else "good",
            )
            for number, each in enumerate(items)
        ]
        decide(database, "r", decisions, person="ada", time="2026-01-01T00:00:00Z")
    finally:
        database.close()
