"""`alo retrain` and `alo models`: from a data set to a model that is deployed, or held."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.loop_project import LAX, Command, caller, review_results, write_loop_project
from tests.support.waiting import wait_until

from alo.files import remove_tree
from alo.history.deployment import read_deployment
from alo.history.pins import pins
from alo.layout import Workspace


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project whose train data knows nothing above 70, where bad begins at 60."""
    return write_loop_project(make_solution)


@pytest.fixture
def command(home: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """``command("retrain", ...)``: in a project with a model and a data set of 100 rows."""
    call = caller(home, capfd)
    review_results(home)
    assert call("dataset", "make", "d", "--review", "r")[0] == 0
    return call


def compared(reported: tuple[int, str, str], status: int) -> dict[str, object]:
    assert reported[0] == status, reported
    found: dict[str, object] = json.loads(reported[1])
    return found


def state_of(home: Path) -> dict[str, bytes]:
    """What a candidate may not change before it is there: models, artifacts, history."""
    return {
        str(path): path.read_bytes()
        for name in ("train_artifacts", "inference_artifacts", "history")
        for path in sorted((home / name).rglob("*"))
        if path.is_file()
    }


def share(found: dict[str, object], name: str) -> float:
    model = found[name]
    assert isinstance(model, dict)
    return float(model["accuracy"])


def test_a_better_candidate_passes_is_in_history_and_leaves_the_current_model_alone(
    command: Command, home: Path
) -> None:
    before = (home / "train_artifacts/models/train/model.json").read_text()

    found = compared(command("retrain", "--dataset", "d", *LAX, "--json"), 0)

    assert (found["verdict"], found["reasons"], found["dataset"]) == ("pass", [], "d@v1")
    assert share(found, "new") == 1.0 > share(found, "old")
    assert (home / "train_artifacts/models/train/model.json").read_text() == before
    assert not list((home / ".alo").glob("rerun-*"))
    run = str(found["run"])
    record = json.loads(command("history", "show", run, "--json")[1])
    assert (record["dataset"], record["pipeline"]) == ("d@v1", "train")
    entry = home / "history/train" / run
    kept = json.loads((entry / "log/comparison.json").read_text())
    assert kept["verdict"] == "pass"
    assert command("history", "verify", run)[0] == 0
    assert json.loads(command("models", "show", run, "--json")[1])["comparison"] == kept


def test_a_candidate_stays_in_history_with_the_model_before(command: Command, home: Path) -> None:
    found = compared(command("retrain", "--dataset", "d", *LAX, "--json"), 0)
    old, run = found["old"], str(found["run"])
    assert isinstance(old, dict)

    assert set(pins(Workspace(home))) >= {run, old["run"]}
    status, _, err = command("history", "remove", run)
    assert (status, "the newest candidate of data set d needs it" in err) == (1, True)


def test_what_passes_is_deployed_where_that_was_asked_and_the_log_says_why(
    command: Command, home: Path
) -> None:
    run = compared(command("retrain", "--dataset", "d", *LAX, "--deploy", "--json"), 0)["run"]

    assert read_deployment(Workspace(home)).run == run
    (line,) = json.loads(command("models", "log", "--json")[1])
    assert (line["run"], line["why"]) == (run, "the gate lets it pass")
    assert line["comparison"]["verdict"] == "pass"
    assert json.loads(command("models", "at", "0s", "--json")[1])["run"] == run
    assert command("models", "at", "2020-01-01", "--json")[1] == "null\n"
    assert json.loads(command("models", "--json")[1])[0] == {
        "run": run,
        "role": "deployed",
        "score": 0.9,
        "dataset": "d@v1",
        "verdict": "pass",
    }


def test_the_model_that_is_named_is_compared_with_in_place_of_the_deployed_one(
    command: Command, home: Path
) -> None:
    (first,) = (each.name for each in (home / "history/train").iterdir())
    deployed = compared(command("retrain", "--dataset", "d", *LAX, "--deploy", "--json"), 0)

    usual = compared(command("retrain", "--dataset", "d", *LAX, "--json"), 0)
    found = compared(command("retrain", "--dataset", "d", *LAX, "--against", first, "--json"), 0)

    assert isinstance(usual["old"], dict)
    assert isinstance(found["old"], dict)
    assert (usual["old"]["run"], found["old"]["run"]) == (deployed["run"], first)
    assert share(found, "old") < share(usual, "old") == 1.0


def test_a_champion_that_history_has_no_more_is_named_with_what_to_do(
    command: Command, home: Path
) -> None:
    (old,) = (each.name for each in (home / "history/train").iterdir())
    assert command("deploy", old)[0] == 0
    remove_tree(home / "history/train" / old)
    before = state_of(home)

    status, _, err = command("retrain", "--dataset", "d", *LAX)

    assert status == 1
    assert "the deployed model cannot be compared with" in err
    assert old in err
    assert "--against RUN" in err
    assert state_of(home) == before


def test_the_workspaces_model_is_compared_with_though_history_has_its_run_no_more(
    command: Command, home: Path
) -> None:
    (old,) = (each.name for each in (home / "history/train").iterdir())
    remove_tree(home / "history/train" / old)

    found = compared(command("retrain", "--dataset", "d", *LAX, "--json"), 0)

    assert isinstance(found["old"], dict)
    assert found["old"]["run"] == old
    assert 0 < share(found, "old") < share(found, "new") == 1.0


def test_one_record_is_followed_to_the_model_that_learned_from_it_and_back(
    command: Command, home: Path
) -> None:
    run = str(compared(command("retrain", "--dataset", "d", *LAX, "--deploy", "--json"), 0)["run"])
    lines = (home / "datasets/d/v1/rows.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    row = next(each for each in rows if each["split"] == "train")
    record = row["record"]

    found = json.loads(command("trace", record, "--json")[1])

    assert (found["id"], found["kind"]) == (record, "record")
    kinds = {each["kind"] for each in found["nodes"]}
    assert kinds == {
        "record", "input", "run", "data", "review", "decision", "dataset", "comparison",
        "promotion",
    }  # fmt: skip
    edges = {(each["from"], each["to"], each["what"]) for each in found["edges"]}
    assert {
        (record.rpartition(":")[0], record, "made"),
        (record, "d@v1", "went to train"),
        ("d@v1", run, "trained"),
    } <= edges
    (decision,) = [each for each in found["nodes"] if each["kind"] == "decision"]
    assert decision["label"] == row["new"]
    for wanted, kind in ((run, "run"), ("d", "dataset"), ("d@v1", "dataset"),
                         (row["content"], "content")):  # fmt: skip
        other = json.loads(command("trace", wanted, "--json")[1])
        assert (other["kind"], run in {each["id"] for each in other["nodes"]}) == (kind, True)
    assert f"record {record}" in command("trace", record)[1]
    command("review", "close", "r")
    assert command("history", "remove", record.rpartition(":")[0])[0] == 0
    gone = json.loads(command("trace", record, "--json")[1])
    states = {each["id"]: each["state"] for each in gone["nodes"]}
    assert states[record.rpartition(":")[0]] == "pruned"
    for unknown in ("nothing", "x:1", "e@v1", "0" * 32):
        assert command("trace", unknown)[0] == 2


def test_a_worse_candidate_is_held_and_deployed_only_by_force_with_a_reason(
    command: Command, home: Path
) -> None:
    reported = command("retrain", "--dataset", "d", *LAX, "--set", "train.how=worst", "--deploy")

    assert reported[0] == 3
    assert "the gate: held: not_shown_no_worse, no_gain" in reported[1]
    assert "not_shown_no_worse: with 95% certainty the difference is at least -" in reported[1]
    assert not (home / "solution/deployment.json").exists()

    forced = (*LAX, "--set", "train.how=worst", "--deploy", "--force", "--reason", "a demo")
    assert command("retrain", "--dataset", "d", *forced)[0] == 3
    assert json.loads(command("models", "log", "--json")[1])[0]["why"] == "forced: a demo"


def test_too_few_rows_are_said_with_how_many_are_missing(command: Command) -> None:
    found = compared(command("retrain", "--dataset", "d", "--gate", "min_rows=99", "--json"), 3)

    reasons = found["reasons"]
    assert isinstance(reasons, list)
    assert "too_few_rows" in reasons
    assert found["needed"] == 99 - int(str(found["rows"]))


def test_without_test_rows_it_is_held(command: Command) -> None:
    assert command("dataset", "make", "e", "--review", "r", "--test-share", "0")[0] == 0

    status, reported, _ = command("retrain", "--dataset", "e", *LAX)

    assert (status, "held: too_few_rows" in reported) == (3, True)
    assert "could decide it: make the data set with a --test-share above 0" in reported


def test_a_damaged_data_set_trains_nothing(command: Command, home: Path) -> None:
    path = home / "datasets/d/v1/test_labels.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"good", b"bad"))
    before = state_of(home)

    status, _, err = command("retrain", "--dataset", "d", *LAX)

    assert (status, "d@v1 is damaged: test_labels.csv changed" in err) == (1, True)
    assert state_of(home) == before


def test_a_candidate_that_fails_on_the_test_rows_is_held(command: Command) -> None:
    found = compared(
        command("retrain", "--dataset", "d", *LAX, "--set", "train.how=mute", "--json"), 3
    )

    assert found["reasons"] == ["candidate_failed"]


def test_a_candidate_that_answers_fewer_rows_is_held(command: Command) -> None:
    wanted = ("--set", "train.how=short", "--gate", "max_loss=1")
    found = compared(command("retrain", "--dataset", "d", *LAX, *wanted, "--json"), 3)

    assert "rows_unanswered" in str(found["reasons"])
    assert found["rows_unanswered"] == 1


def test_a_model_before_that_fails_on_the_test_rows_is_said_before_anything_is_trained(
    command: Command, home: Path
) -> None:
    (home / "train_artifacts/models/train/model.json").write_text('{"how": "mute"}')
    before = state_of(home)

    status, _, err = command("retrain", "--dataset", "d", *LAX)

    assert (status, "fails on the test rows" in err) == (1, True)
    assert state_of(home) == before


def test_what_the_train_run_prints_is_beside_the_json(command: Command) -> None:
    _, out, err = command("retrain", "--dataset", "d", *LAX, "--json")

    assert json.loads(out)["gate"]["min_rows"] == 5
    assert json.loads(out)["difference"]["bound"] >= -0.3
    assert "training on d@v1" in err
    assert "train" in err.partition("training on d@v1")[2].partition("testing the candidate")[0]


def test_a_train_run_that_fails_is_an_error_and_its_entry_says_why(command: Command) -> None:
    status, _, err = command("retrain", "--dataset", "d", "--set", "train.how=fail", "--json")

    assert status == 1
    assert "the train run on d@v1 failed" in err
    newest = json.loads(command("history", "--json")[1])[0]
    assert (newest["pipeline"], newest["status"]) == ("train", "error")


def test_a_model_that_has_learned_from_the_test_rows_proves_nothing(
    command: Command, home: Path
) -> None:
    rows = [f"k{n},{n},{'bad' if n >= 60 else 'good'}" for n in range(100)]
    (home / "known/rows.csv").write_text("\n".join(["id,x,kind", *rows, ""]))
    assert command("run", "--mode", "train", "--quiet")[0] == 0

    found = compared(command("retrain", "--dataset", "d", *LAX, "--json"), 3)

    assert found["reasons"] == ["test_in_training"]


def test_what_makes_no_sense_is_an_error_in_words(command: Command) -> None:
    wrong = {
        ("--dataset", "none"): (2, "there is no data set 'none'"),
        ("--dataset", "d", "--against", "2020"): (1, "2020"),
        ("--dataset", "d", "--gate", "odd=1"): (2, "--gate takes KEY=VALUE"),
        ("--dataset", "d", "--gate", "max_loss=2"): (2, "--gate takes KEY=VALUE"),
        ("--dataset", "d", "--force"): (2, "go together"),
        ("--dataset", "d", "--deploy", "--reason", "x"): (2, "go together"),
    }

    for words, (status, what) in wrong.items():
        found, _, err = command("retrain", *words)
        assert (found, what in err) == (status, True), words


def test_without_a_model_there_is_nothing_to_compare_with(command: Command, home: Path) -> None:
    import shutil

    shutil.rmtree(home / "train_artifacts")

    status, _, err = command("retrain", "--dataset", "d")

    assert (status, "no model to compare" in err) == (1, True)


@pytest.mark.parametrize("how", ["hang", "stuck"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ended_while_it_trains_or_tests_it_leaves_no_process_and_nothing_in_the_project(
    command: Command, home: Path, tmp_path: Path, number: signal.Signals, how: str
) -> None:
    before = state_of(home)
    mark = tmp_path / "pid"
    words = ["retrain", "--project", str(home), "--dataset", "d", "--set", f"train.how={how}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "alo.cli.main", *words, "--json"],
        env={**os.environ, "RETRAIN_PID": str(mark)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: mark.is_file() and mark.read_text() != "")
    trainer = int(mark.read_text())

    process.send_signal(number)
    process.wait()

    wait_until(lambda: not Path(f"/proc/{trainer}").exists())
    assert state_of(home) == before
    assert command("run", "--mode", "inference", "--quiet")[0] == 0
    assert list((home / ".alo").glob("rerun-*")) == []


def test_two_at_once_make_two_candidates_and_both_are_whole(command: Command, home: Path) -> None:
    words = ["retrain", "--project", str(home), "--dataset", "d", *LAX, "--json"]
    line = [sys.executable, "-m", "alo.cli.main", *words]
    processes = [
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)
    ]

    reported = [json.loads(process.communicate()[0]) for process in processes]

    assert [each["verdict"] for each in reported] == ["pass", "pass"]
    runs = {str(each["run"]) for each in reported}
    assert len(runs) == 2
    for run in runs:
        assert (home / "history/train" / run / "log/comparison.json").is_file()
        assert command("history", "verify", run)[0] == 0
    assert list((home / ".alo").glob("rerun-*")) == []
