"""`alo infer`, as people and scripts call it: real processes, and real runs in them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.waiting import wait_until

from alo.data.remote import object_store
from alo.history.entries.names import read_record
from alo.history.record import RunRecord

Command = Callable[..., tuple[int, str, str]]
ROWS = 30
# Answers rows by themselves, fails with a row that is `bad`, and does what args say besides.
ANSWER = """
import csv, glob, time
rows = []
for path in sorted(glob.glob(self.asset.get_input_path() + "**/*.csv", recursive=True)):
    with open(path, newline="") as file:
        rows += list(csv.DictReader(file))
if any(row["y"] == "bad" for row in rows):
    raise ValueError("a bad row:\\nof no number")
time.sleep(self.args["wait"])
with open(self.asset.get_output_path() + "output.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(["", "x", "y", "of"])
    of = len(rows) if self.args["all"] else 1
    table.writerows([number, row["x"], row["y"], of] for number, row in enumerate(rows))
with open(self.asset.get_extra_output_path() + "more.txt", "w") as file:
    file.write("more")
self.asset.save_summary("ok", len(rows) / 100, probability={"a": 0.25, "b": 0.75})
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "month"
    folder.mkdir()
    for number in range(3):
        write_table(folder / f"{number}.csv", number * 10)
    return folder


def write_table(path: Path, first: int, bad: int = -1) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["x", "y"])
        for row in range(first, first + 10):
            table.writerow([row, "bad" if row == bad else "a\nb"])


@pytest.fixture
def home(make_solution: Callable[..., Path], data: Path) -> Path:
    return make_solution(
        {},
        {"answer": ANSWER},
        args={"answer": {"wait": 0, "all": False}},
        external={"load_inference_data_path": str(data)},
    )


def output_of(home: Path) -> bytes:
    return (home / "inference_artifacts/output/output.csv").read_bytes()


def runs_of(home: Path) -> list[RunRecord]:
    """All inference runs in history, the newest last."""
    entries = (home / "history/inference").iterdir()
    return sorted(map(read_record, entries), key=lambda each: each.start_time)


def lines_of(home: Path) -> list[dict[str, Any]]:
    text = (home / "inference_artifacts/score/shards.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_the_shards_become_one_run_like_any_other(command: Command, home: Path) -> None:
    assert command("run")[0] == 0
    whole, (plain,) = output_of(home), runs_of(home)

    status, out, err = command("infer", "month", "--rows-per-shard", "7", "--jobs", "2")

    assert (status, err) == (0, "")
    assert "shard 0004  2 rows" in out
    assert "output.csv, which has no name, counts on over all shards" in out
    assert output_of(home) == whole
    record = runs_of(home)[-1]
    entry = home / "history/inference" / record.id
    for name in ("data_id", "code_id", "param_id", "train_id", "solution", "args"):
        assert getattr(record, name) == getattr(plain, name), name
    assert (record.status, record.result, record.note) == ("success", "ok", "5 shards, 30 rows")
    assert record.metrics["score"] == pytest.approx((4 * 7 * 0.07 + 2 * 0.02) / 30)
    assert record.probability == {"a": 0.25, "b": 0.75}
    assert [step.name for step in record.steps] == ["answer"]
    assert (entry / "output/output.csv").read_bytes() == whole
    assert (entry / "input/month/2.csv").is_file()
    assert (entry / "extra_output/0003/answer/more.txt").read_text() == "more"
    assert (entry / "log/0003/process.log").is_file()
    assert [line["rows"] for line in lines_of(home)] == [7, 7, 7, 7, 2]
    assert "none damaged" in command("history", "verify")[1]
    assert not (home / "history/batches/month/shards").exists()
    assert not list((home / ".alo").glob("rerun-*"))

    status, out, _ = command("infer", "--resume", "month", "--json")
    reported = json.loads(out.splitlines()[-1])["payload"]
    assert (status, reported["shards"]["reused"], reported["run_id"]) == (0, 5, record.id)
    status, _, err = command("infer", "month", "--shards", "2")
    assert (status, "there is a batch 'month' already" in err) == (2, True)


def test_an_executor_says_how_much_room_it_has_and_what_a_user_should_know(
    command: Command, home: Path
) -> None:
    (home / "cluster.py").write_text(
        "from alo.executors.local import LocalExecutor\n"
        "class Cluster(LocalExecutor):\n"
        "    warnings = ('the cluster has no token',)\n"
        "    def capacity(self):\n"
        "        return 1\n"
    )
    status, out, err = command("infer", "--shards", "3", "--computing", "cluster:Cluster")
    assert status == 0
    assert (out + err).count("the cluster has no token") == 1
    assert [line["state"] for line in lines_of(home)] == ["done"] * 3


def test_what_is_cut_by_files_is_answered_file_by_file(
    command: Command, home: Path, data: Path
) -> None:
    assert (
        command("infer", str(data / "1.csv"), str(data / "0.csv"), "--files-per-shard", "1", "two")[
            0
        ]
        == 0
    )

    rows = list(csv.DictReader(output_of(home).decode().splitlines()))
    assert [row[""] for row in rows if row["x"]][:1] == ["0"]
    assert [line["rows"] for line in lines_of(home)] == [None, None]
    record = runs_of(home)[-1]
    assert record.note == "2 shards, 2 files"
    assert "two" in os.listdir(home / "history/batches")
    plan = (home / "history/inference" / record.id / "experimental_plan.yaml").read_text()
    assert str(data / "1.csv") in plan  # a rerun has the same input


def test_a_pipeline_that_looks_at_other_rows_is_refused_before_anything_runs(
    command: Command, home: Path
) -> None:
    words = ["--shards", "3", "--jobs", "2", "--set", "answer.all=true"]

    status, _, err = command("infer", "b", *words)

    assert status == 1
    assert "does not answer each row by itself: row 1 of the output is '0,0,\"a" in err
    assert not (home / "history/inference").exists()
    assert not (home / "history/batches").exists()

    status, _, err = command("infer", "b", *words, "--row-check", "off")
    assert (status, err) == (0, "")
    assert runs_of(home)[-1].note == "3 shards, 30 rows; row check off"


def test_bad_rows_are_found_and_listed(command: Command, home: Path, data: Path) -> None:
    write_table(data / "1.csv", 10, bad=13)
    words = ["--shards", "2", "--on-error", "bisect", "--jobs", "2", "--json"]

    status, out, _ = command("infer", "b", *words)

    assert status == 0
    reported = json.loads(out.splitlines()[-1])["payload"]
    assert reported["shards"] == {"total": 2, "done": 2, "failed": 0, "reused": 0}
    assert (reported["rows_in"], reported["rows_out"], reported["rows_failed"]) == (30, 29, 1)
    assert reported["output"] == str(home / "inference_artifacts/output/output.csv")
    with open(home / "inference_artifacts/extra_output/alo/failed_rows.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["_alo_error"] == "step 'answer' failed: ValueError: a bad row: of no number"
    del row["_alo_error"]
    assert row == {"x": "13", "y": "bad", "_alo_source": "month/1.csv", "_alo_row": "3"}
    assert [line["state"] for line in lines_of(home)] == ["partial", "done"]
    assert runs_of(home)[-1].note == "2 shards, 30 rows; 1 row failed"
    logs = home / "inference_artifacts/log"
    assert any("a bad row" in each.read_text() for each in logs.glob("*/process.log"))


def test_whole_files_that_fail_are_counted(command: Command, home: Path, data: Path) -> None:
    write_table(data / "1.csv", 10, bad=13)
    words = ["infer", "b", "--files-per-shard", "3", "--on-error", "bisect", "--jobs", "2"]

    status, out, _ = command(*words)

    assert (status, "batch b: 1 of 1 shards, 1 file failed" in out) == (0, True)
    _, out, _ = command("infer", "--resume", "b", "--json")
    reported = json.loads(out.splitlines()[-1])["payload"]
    assert (reported["rows_in"], reported["rows_out"], reported["rows_failed"]) == (None, 20, 1)


def test_a_shard_that_is_skipped_is_told_and_tried_again(
    command: Command, home: Path, data: Path
) -> None:
    write_table(data / "1.csv", 10, bad=13)
    words = ["infer", "b", "--files-per-shard", "1", "--on-error", "skip", "--jobs", "2"]

    status, out, _ = command(*words)

    assert status == 1
    assert "1 shard is left out: alo infer --resume b tries it again" in out
    assert [line["state"] for line in lines_of(home)] == ["done", "failed", "done"]
    assert output_of(home).count(b"\n") == 1 + 2 * 2 * 10

    status, _, err = command("infer", "--resume", "b", "--max-failed-shards", "1")
    assert (status, err) == (0, "")

    write_table(data / "1.csv", 10)
    status, _, err = command("infer", "--restart", "b")
    assert (status, err) == (0, "")
    assert output_of(home).count(b"\n") == 1 + 2 * 3 * 10


def test_what_changed_since_it_began_is_named(command: Command, home: Path, data: Path) -> None:
    write_table(data / "1.csv", 10, bad=13)
    assert command("infer", "b", "--shards", "3", "--jobs", "1", "--row-check", "off")[0] == 1
    write_table(data / "1.csv", 10)
    asset = home / "assets/answer/asset_answer.py"
    asset.write_text(asset.read_text() + "\n# another one\n")

    status, _, err = command("infer", "--resume", "b")

    assert (status, "the input and the code of batch 'b' changed" in err) == (2, True)
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"wait": 0', '"wait": 0.01'))
    models = home / "train_artifacts/models"
    models.mkdir(parents=True)
    (models / "m").write_text("m")
    status, _, err = command("infer", "--resume", "b")
    assert "the input and the model and the code and the args of batch" in err


def test_files_in_another_order_are_another_input(command: Command, home: Path, data: Path) -> None:
    plan = home / "solution/experimental_plan.yaml"
    paths = [str(data / "0.csv"), str(data / "1.csv")]
    write_table(data / "1.csv", 10, bad=19)
    alone = plan.read_text()
    plan.write_text(alone.replace(json.dumps(str(data)), json.dumps(paths)))
    words = ["--rows-per-shard", "5", "--jobs", "1", "--row-check", "off"]
    assert command("infer", "b", *words)[0] == 1
    plan.write_text(alone.replace(json.dumps(str(data)), json.dumps(paths[::-1])))

    status, _, err = command("infer", "--resume", "b")

    assert (status, "the order of the input of batch 'b' changed" in err) == (2, True), err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "how is the input to be cut?"),
        (["--shards", "2", "b", "--rows-per-shard", "3"], "how is the input to be cut?"),
        (["--shards", "2", "b", "--hrd", "3"], "--hrd"),
        (["--shards", "2", "--max-bad-rows", "3"], "--max-bad-rows is for --on-error bisect"),
        (["--resume", "none"], "there is no batch 'none'"),
        (["--shards", "0"], "expected a number from 1 up"),
        (["--shards", "2", "--row-check", "1"], "expected off, or a number from 2 up"),
        (["a/../b", "--shards", "2"], "error: SOURCE  "),
        (["x", "--model", "2020", "--shards", "2"], "--model: no run '2020'"),
        (["june.csv", "--shards", "2"], "no file or folder is called so here, and as a name"),
        (["a b", "--shards", "2"], "it is not as names are"),
        (["mnth", "--shards", "2"], "it is too much like 'month'"),
        (["b", "--shards", "2", "--out", "month/0.csv"], "error: --out  "),
        (["ftp://host/x.csv", "b", "--shards", "2"], "no locations of the kind 'ftp:'"),
        (["s3:/bucket/x", "b", "--shards", "2"], "did you mean s3://bucket/x"),
        (["b", "--shards", "2", "--out", "gcs://bucket/x"], "did you mean gs://bucket/x"),
        (["b", "--shards", "2", "--out", "/proc/none"], "artifacts cannot be saved there"),
        (["b", "--shards", "2", "--out", "s3://none-such/x"], "none-such"),
        (["--shards", "2", "--set", "answer.hight=1", "--computing", "nowhere"], "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_with_nothing_changed(
    command: Command,
    home: Path,
    data: Path,
    words: list[str],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setitem(object_store.RETRIES, "max_retries", 0)
    monkeypatch.chdir(data.parent)

    status, _, err = command("infer", *words)

    assert what in err
    assert status == 2
    assert not (home / "history/inference").exists()


def test_what_is_typed_means_what_it_would_in_the_plan(
    command: Command, data: Path, tmp_path: Path
) -> None:
    words = [f"file://{data}", "--out", f"file:{tmp_path}/out", "--shards", "2"]

    assert command("infer", *words)[0] == 0
    assert (tmp_path / "out/inference_artifacts.tar.gz").is_file()


def test_what_is_there_is_taken_by_its_exact_name(
    command: Command, home: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data)
    (data / "0.csv").rename(data / " '0'.csv")

    assert command("infer", " '0'.csv", "--shards", "2")[0] == 0
    assert len(output_of(home).splitlines()) == 1 + 2 * 10  # a cell of each row has a line break


def start(home: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "alo.cli.main", *words, "--project", str(home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def done_in(home: Path) -> int:
    return len(list((home / "history/batches/b/shards").glob("*/manifest.json")))


WORDS = ["infer", "b", "--shards", "6", "--jobs", "2", "--set", "answer.wait=0.3"]


@pytest.mark.parametrize("how", ["interrupted", "killed"])
def test_a_batch_that_was_ended_goes_on_with_what_is_done(
    command: Command, home: Path, how: str
) -> None:
    process = start(home, *WORDS, "--row-check", "off")
    wait_until(lambda: done_in(home) >= 1)
    if how == "interrupted":
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        assert process.returncode == 130, output.decode()
        assert b"alo infer --resume b" in output
    else:
        process.kill()
        process.communicate()
    done = done_in(home)
    assert 1 <= done < 6

    status, out, err = command("infer", "--resume", "b", "--json")

    assert (status, err) == (0, "")
    reported = json.loads(out.splitlines()[-1])["payload"]
    assert reported["shards"] == {"total": 6, "done": 6, "failed": 0, "reused": done}
    rows = list(csv.DictReader(output_of(home).decode().splitlines(keepends=True)))
    assert [int(row["x"]) for row in rows] == list(range(ROWS))
    assert [int(row[""]) for row in rows] == list(range(ROWS))
    runs = [each.status for each in runs_of(home)]
    assert sorted(runs) == ["interrupted", "success"]


def test_a_second_signal_ends_what_runs(home: Path) -> None:
    words = [*WORDS[:-1], "answer.wait=60", "--row-check", "off", "--json"]
    process = start(home, *words)
    assert process.stdout
    assert any(b"shard_started" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: b'"interrupted"' in record(home))  # what had not begun
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    process.communicate()

    assert process.returncode == 130
    assert time.monotonic() - began < 30


def record(home: Path) -> bytes:
    path = home / "history/batches/b/shards.jsonl"
    return path.read_bytes() if path.exists() else b""
