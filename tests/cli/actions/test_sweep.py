"""`alo sweep`, as people and scripts call it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.support.swept_project import Command, shown, write_swept_project

from alo.history.browse import History
from alo.layout import Workspace


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path) -> Path:
    return write_swept_project(make_solution, tmp_path)


def test_a_grid_from_its_start_to_the_plan(command: Command, home: Path, tmp_path: Path) -> None:
    status, out, err = command("sweep", "s", "--param", "train.x=1..5", "--jobs", "2")
    assert (status, err) == (0, "")
    assert "sweep s: 5 complete" in out
    assert "trials to go" not in out
    reported = shown(command, "s")
    assert {
        "name",
        "status",
        "metric",
        "sampler",
        "seed",
        "params",
        "counts",
        "best",
        "trials",
    } == (set(reported))
    best = reported["best"][0]
    assert (best["args"], best["values"]) == ({"train.x": 3}, {"score": 1 / 1.0001})
    assert [each["args"]["train.x"] for each in reported["trials"]] == [1, 2, 3, 4, 5]
    assert (tmp_path / "count").read_text() == "x"  # the step before ran once

    entry = History(Workspace(home)).find(best["run_id"])
    assert (entry.folder / "models/train/m").read_text() == "3"
    assert entry.record.sweep == {"name": "s", "trial": 2}
    assert "none damaged" in command("history", "verify")[1]
    assert not (home / "train_artifacts").exists()

    before = (home / "solution/experimental_plan.yaml").read_text()
    assert "x: 2 -> 3" in command("sweep", "apply", "s", "--dry-run")[1]
    assert (home / "solution/experimental_plan.yaml").read_text() == before
    assert command("sweep", "apply", "s")[0] == 0
    after = (home / "solution/experimental_plan.yaml").read_text()
    assert after == before.replace('"x": 2', '"x": 3')
    assert command("deploy", best["run_id"])[0] == 0


ON_ITS_WAY = """
for step in range(5):
    self.asset.save_metric("acc", self.args["x"] + step, step=step)
self.asset.save_summary("ok", 0.5)
"""


@pytest.mark.parametrize("isolation", [{}, {"train": {"isolation": "process"}}])
def test_a_hopeless_trial_is_pruned_which_is_no_failure(
    make_solution: Callable[..., Path], command: Command, isolation: dict[str, object]
) -> None:
    make_solution({"train": ON_ITS_WAY}, args={"train": {"x": 0}}, beside=isolation)
    words = ["--param", "train.x=9,8,7,6,5,1", "--jobs", "1", "--metric", "acc"]
    status, out, err = command("sweep", "s", *words, "--pruner", "median", "--max-failures", "0")
    assert (status, err) == (0, "")
    assert "5 complete, 1 pruned" in out
    last = shown(command, "s")["trials"][-1]
    assert (last["state"], last["values"]) == ("pruned", {"acc": 1})
    assert "where other trials were better" in last["error"]

    assert command("sweep", "all", *words)[0] == 0
    assert shown(command, "all")["counts"] == {"complete": 6}


@pytest.mark.parametrize("metric", [[], ["--metric", "acc", "--metric", "f1"]])
def test_a_pruner_needs_one_metric_that_trials_save_on_their_way(
    command: Command, metric: list[str]
) -> None:
    status, _, err = command("sweep", "--param", "train.x=1..3", "--pruner", "median", *metric)
    assert status == 2
    assert "--pruner" in err


def test_what_has_no_sweep_yet_says_how_to_make_one(command: Command) -> None:
    assert "alo sweep --param" in command("sweep", "list")[1]
    status, _, err = command("sweep", "show", "x")
    assert (status, "there is no sweep 'x'" in err) == (2, True)
    status, _, err = command("sweep")
    assert (status, "no arg is swept" in err) == (2, True)


def test_events_are_lines_of_json(command: Command) -> None:
    words = ["--param", "train.x=2,3,3.0", "--jobs", "1", "--json"]
    status, out, _ = command("sweep", "s", *words)
    events = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [each["sequence"] for each in events] == list(range(len(events)))
    assert [each["event"] for each in events if each["event"] != "log"] == [
        *["trial_started", "trial_finished"] * 3, "sweep_finished",
    ]  # fmt: skip
    last = events[-1]["payload"]
    assert last["counts"] == {"complete": 3}
    assert set(last["best"][0]) == {"trial", "values", "args", "run_id"}


def test_random_trials_are_the_same_for_a_seed_and_the_same_one_is_not_run_twice(
    command: Command,
) -> None:
    words = ["--param", "train.x=1..3", "--sampler", "random", "--trials", "6", "--jobs", "1"]
    assert command("sweep", "one", *words, "--seed", "5")[0] == 0
    assert command("sweep", "two", *words, "--seed", "5")[0] == 0
    one, two = shown(command, "one"), shown(command, "two")
    assert [each["args"] for each in one["trials"]] == [each["args"] for each in two["trials"]]
    again = [each for each in one["trials"] if each["state"] == "duplicate"]
    assert again
    for each in again:
        first = one["trials"][each["reused_from"]]
        assert (first["args"], first["values"]) == (each["args"], each["values"])
        assert not each["run_id"]


def test_a_metric_that_is_saved_and_its_direction(command: Command) -> None:
    words = ["--param", "train.x=1..5", "--metric", "loss:min"]
    assert command("sweep", "s", *words)[0] == 0
    assert shown(command, "s")["best"][0]["values"] == {"loss": 0}


def test_a_metric_that_nobody_saves_ends_it_at_once_and_lists_those_there_are(
    command: Command,
) -> None:
    words = ["--param", "train.x=1..50", "--metric", "lss", "--jobs", "1"]
    status, _, err = command("sweep", "s", *words)
    assert status == 2
    assert "no metric 'lss'" in err
    assert "it saved loss, score" in err
    assert len(shown(command, "s")["trials"]) == 1


def test_failures_are_borne_up_to_a_limit_and_the_commonest_is_told(command: Command) -> None:
    words = ["--param", "train.x=1..6", "--set", "train.how=fail", "--jobs", "1"]
    status, _, err = command("sweep", "few", *words)
    assert status == 1
    assert "4 trials failed, 4 of them so: step 'train' failed: ValueError: no good" in err
    assert shown(command, "few")["counts"] == {"complete": 1, "failed": 4}
    assert command("sweep", "many", *words, "--max-failures", "5")[0] == 0
    assert shown(command, "many")["counts"] == {"complete": 1, "failed": 5}


def test_a_trial_that_is_lost_is_tried_again_and_then_given_up(command: Command) -> None:
    words = ["--param", "train.how='',die", "--jobs", "1", "--retries", "1"]
    status, out, _ = command("sweep", "s", *words)
    assert (status, out.count("trial 1 is lost, and tried again: ")) == (0, 1)
    good, bad = shown(command, "s")["trials"]
    assert (good["state"], bad["state"]) == ("complete", "lost")
    assert "lost 2 times" in bad["error"]


def test_repeats_are_one_trial_with_mean_and_spread(command: Command, home: Path) -> None:
    words = ["--param", "train.x=2,3", "--metric", "loss:min", "--repeats", "3"]
    assert command("sweep", "s", *words, "--seed-arg", "train.seed")[0] == 0
    best = shown(command, "s")["best"][0]
    assert (best["values"], best["spread"]) == ({"loss": 1}, {"loss": 1})
    runs = [History(Workspace(home)).find(each).record for each in best["run_ids"]]
    assert sorted(each.args["train"]["seed"] for each in runs) == [0, 1, 2]


def test_models_of_beaten_trials_are_dropped_and_the_entry_says_so(
    command: Command, home: Path
) -> None:
    assert (
        command("sweep", "s", "--param", "train.x=1..6", "--keep", "best:2", "--jobs", "1")[0] == 0
    )
    workspace = Workspace(home)
    trials = shown(command, "s")["trials"]
    kept = {
        each["args"]["train.x"]
        for each in trials
        if (History(workspace).find(each["run_id"]).folder / "models").is_dir()
    }
    assert kept == {2, 3}
    gone = next(each["run_id"] for each in trials if each["args"]["train.x"] == 6)
    status, _, err = command("deploy", gone)
    assert (status, "other trials of sweep s were better" in err) == (1, True)
    assert "none damaged" in command("history", "verify")[1]


@pytest.mark.parametrize("keep", ["none", "best:0"])
def test_no_model_is_proposed_where_none_is_kept_and_no_other_trial_was_better(
    command: Command, keep: str
) -> None:
    words = ["--param", "train.x=1..3", "--jobs", "1", "--trials"]
    assert "or alo deploy" in command("sweep", "with", *words, "2")[1]

    status, out, _ = command("sweep", "s", *words, "2", "--keep", keep)

    assert status == 0
    assert "next: alo sweep apply s, then alo run" in out
    assert "next: alo sweep apply s, then alo run" in command("sweep", "show", "s")[1]
    best = shown(command, "s")["best"][0]["run_id"]
    assert "sweep s keeps none" in command("deploy", best)[2]


def test_code_that_changed_is_told_before_a_resume(command: Command, home: Path) -> None:
    assert command("sweep", "s", "--param", "train.x=1..2")[0] == 0
    path = home / "assets/train/asset_train.py"
    path.write_text(path.read_text() + "\n# changed\n")
    status, _, err = command("sweep", "resume", "s")
    assert (status, "the code of sweep 's' changed" in err) == (2, True)
    assert command("sweep", "resume", "s", "--anyway")[0] == 0


def test_a_table_and_pictures_of_all_trials(command: Command, tmp_path: Path) -> None:
    assert command("sweep", "s", "--param", "train.x=1..4", "--param", "train.seed=0,1")[0] == 0
    assert command("sweep", "export", "s", "--csv", str(tmp_path / "t.csv"))[0] == 0
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["train.x"] for row in rows] == ["1", "1", "2", "2", "3", "3", "4", "4"]
    status, out, _ = command("sweep", "export", "s", "--csv", "-")
    assert (status, list(csv.DictReader(out.splitlines()))) == (0, rows)
    assert command("sweep", "plot", "s", "--out", str(tmp_path / "out"))[0] == 0
    for name in ("history", "parallel", "importance"):
        page = (tmp_path / "out" / f"{name}.html").read_text()
        assert "<svg" in page
        assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_with_matplotlib_each_picture_is_a_png_too(command: Command, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert command("sweep", "s", "--param", "train.x=1..2", "--param", "train.how=a$,b$")[0] == 0
    assert command("sweep", "plot", "s", "--out", str(tmp_path / "out"))[0] == 0
    for name in ("history", "parallel", "importance"):
        assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_plan_may_say_what_is_swept(command: Command, home: Path) -> None:
    path = home / "solution/experimental_plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["sweep"] = {"metric": "loss", "direction": "min", "params": {"train.x": {"range": [1, 3]}}}
    path.write_text(json.dumps(plan))
    assert command("sweep")[0] == 0
    assert shown(command, "sweep-1")["best"][0]["args"] == {"train.x": 3}


def test_the_plan_may_name_the_executor_and_the_command_another(
    command: Command, home: Path
) -> None:
    path = home / "solution/experimental_plan.yaml"
    plan = yaml.safe_load(path.read_text())
    path.write_text(json.dumps({**plan, "control": {"computing": "moon"}}))
    status, _, err = command("sweep", "s", "--param", "train.x=1..2")
    assert (status, "--computing moon: there is no such executor" in err) == (2, True)
    assert command("sweep", "s", "--param", "train.x=1..2", "--computing", "local")[0] == 0


def test_a_table_has_all_digits_of_the_values(command: Command, tmp_path: Path) -> None:
    x = 0.12345678901234
    assert command("sweep", "s", "--param", f"train.x={x},2")[0] == 0
    assert command("sweep", "export", "s", "--csv", str(tmp_path / "t.csv"))[0] == 0
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [float(row["train.x"]) for row in rows] == [x, 2]


def test_a_grid_that_is_done_has_no_trials_to_go(command: Command) -> None:
    assert command("sweep", "s", "--param", "train.x=1..2")[0] == 0
    status, out, _ = command("sweep", "resume", "s", "--trials", "5")
    assert status == 0
    assert "trials to go" not in out
    assert "2 trials have ended already" in out
