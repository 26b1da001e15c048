"""One id is followed through everything, also through what is there no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.support.loop_project import Command

from alo.layout import Workspace

from .conftest import Traced

Rows = list[dict[str, str]]


def change_record(home: Path, run: str, **values: object) -> None:
    """Have history say something else of a run."""
    (folder,) = (home / "history").glob(f"*/{run}")
    path = folder / "log/experimental_history.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def later_inference(home: Path, command: Command) -> str:
    """A run in no review."""
    before = {path.name for path in (home / "history/inference").iterdir()}
    assert command("run", "--mode", "inference", "--quiet")[0] == 0
    (run,) = {path.name for path in (home / "history/inference").iterdir()} - before
    return run


def test_a_removed_version_is_pruned_and_leads_to_its_candidate(
    command: Command, traced: Traced, candidate: str
) -> None:
    assert command("dataset", "remove", "d@v1", "--force")[0] == 0

    for wanted in ("d@v1", "d"):
        found = traced(wanted)
        assert (found.kind, found.id, found.state("d@v1")) == ("dataset", "d@v1", "pruned")
        assert ("d@v1", candidate, "trained") in found.edges
    assert traced(candidate).state("d@v1") == "pruned"


def test_a_damaged_version_is_there(home: Path, traced: Traced) -> None:
    manifest = home / "datasets/d/v1/manifest.json"
    manifest.chmod(0o644)
    manifest.write_text("{")

    found = traced("d@v1")

    assert found.nodes["d@v1"] | {"kind": "", "id": ""} == {
        "kind": "", "id": "", "state": "present", "why": "it is damaged",
    }  # fmt: skip


def test_a_record_of_which_a_comparison_alone_knows_is_pruned(
    home: Path, command: Command, traced: Traced, candidate: str, inference: str
) -> None:
    compared = json.loads((home / "history/train" / candidate / "log/comparison.json").read_text())
    record = compared["changed"][0]["record"]
    assert command("dataset", "remove", "d@v1", "--force")[0] == 0
    assert command("review", "remove", "r")[0] == 0
    assert command("history", "remove", inference)[0] == 0

    found = traced(record)

    assert (found.kind, found.state(record), found.state(inference)) == (
        "record", "pruned", "pruned",
    )  # fmt: skip
    assert found.state(f"input of {record}") == "pruned"
    assert (record, f"comparison {candidate}", "was tested in") in found.edges
    assert f"comparison {candidate}" in found.nodes
    assert command("trace", f"{inference}:100000")[0] == 2


def test_of_a_removed_review_a_data_set_still_knows_what_was_said(
    command: Command, traced: Traced, rows: Rows, candidate: str
) -> None:
    row = rows[0]
    assert command("review", "remove", "r")[0] == 0

    found = traced(row["record"])

    said = found.nodes[row["record"]]
    assert [said[name] for name in ("content", "label", "by", "at")] == [
        row["content"], row["new"], "ada", row["at"],
    ]  # fmt: skip
    assert found.state("review r") == "pruned"
    for wanted in ("review r", "r"):
        review = traced(wanted)
        assert (review.kind, review.id, review.state("review r")) == (
            "review", "review r", "pruned",
        )  # fmt: skip
        assert candidate in review.nodes


def test_a_candidate_that_is_gone_is_known_by_its_deployment(
    home: Path, traced: Traced, candidate: str
) -> None:
    shutil.rmtree(home / "history/train" / candidate)

    found = traced(candidate)

    assert found.state(candidate) == found.state(f"comparison {candidate}") == "pruned"
    assert found.nodes[f"comparison {candidate}"]["verdict"] == "pass"
    assert ("d@v1", candidate, "trained") in found.edges
    assert candidate in traced("d@v1").nodes


def test_a_record_in_no_review_has_its_input_and_the_whole_chain(
    home: Path, command: Command, traced: Traced, rows: Rows, candidate: str
) -> None:
    run = later_inference(home, command)
    change_record(home, run, overrides=["request req-1"], train_id=candidate)
    row = next(each for each in rows if each["record"].endswith(":7"))
    record, given = f"{run}:7", f"input of {run}:7"

    found = traced(record)

    place = found.nodes[given]
    assert (place["state"], place["file"], place["row"]) == ("present", "asked/rows.csv", 7)
    assert found.nodes[record]["content"] == row["content"]  # the same case in another run
    (data,) = found.of("data")
    assert {
        (given, record, "was given for"),
        (given, "req-1", "was sent with"),
        ("req-1", run, "was answered by"),
        (run, record, "made"),
        (candidate, run, "answered"),
        (data, candidate, "trained"),
        ("d@v1", candidate, "trained"),
        (row["content"], record, "is the case of"),
    } <= found.edges
    assert not found.of("review") or found.of("review") == ["review r"]  # that of the data set
    assert not any(one == record for one, _, _ in found.edges)


def test_a_reviewed_record_has_the_whole_chain_too(
    home: Path, traced: Traced, inference: str, rows: Rows
) -> None:
    change_record(home, inference, overrides=["request req-1"])
    record = rows[0]["record"]

    found = traced(record)

    model = rows[0]["model"]
    given = f"input of {record}"
    assert found.nodes[given]["file"] == "asked/rows.csv"
    assert {
        (given, "req-1", "was sent with"),
        ("req-1", inference, "was answered by"),
        (model, inference, "answered"),
    } <= found.edges
    assert any((data, model, "trained") in found.edges for data in found.of("data"))


def test_a_request_leads_to_its_run_and_what_it_was_sent_with(
    home: Path, command: Command, traced: Traced, inference: str, rows: Rows
) -> None:
    change_record(home, inference, overrides=["request req-1"])

    found = traced("req-1")

    assert (found.kind, found.id, found.state("req-1")) == ("request", "req-1", "present")
    assert ("req-1", inference, "was answered by") in found.edges
    assert found.nodes[f"input of {inference}"]["file"] == "asked/rows.csv"
    assert rows[0]["model"] in found.nodes
    assert "request req-1" in command("trace", "req-1")[1]


def test_input_that_was_not_kept_is_pruned(home: Path, command: Command, traced: Traced) -> None:
    run = later_inference(home, command)
    shutil.rmtree(home / "history/inference" / run / "input")

    found = traced(f"{run}:7")

    given = found.nodes[f"input of {run}:7"]
    assert (given["state"], given["why"]) == ("pruned", "the input of the run was not kept")


def test_data_that_is_not_at_its_place_any_more_is_pruned(
    home: Path, traced: Traced, rows: Rows
) -> None:
    model = rows[0]["model"]
    before = traced(model)
    shutil.rmtree(home / "known")

    after = traced(model)

    (data,) = before.of("data")
    assert (before.state(data), after.state(data)) == ("present", "pruned")


def test_a_review_that_only_has_a_record_in_its_population_does_not_review_it(
    command: Command, traced: Traced, inference: str
) -> None:
    queued = json.loads(
        _made(command, "other", "--runs", inference, "--random", "1", "--key", "id", "--seed", "1")
    )["items"][0]["record"]
    others = [f"{inference}:{row}" for row in range(3)]
    record = next(each for each in others if each != queued)

    found, first = traced(record), traced(queued)

    assert (record, "review other", "is in the population of") in found.edges
    assert (record, "review other", "is reviewed in") not in found.edges
    assert (record, "review r", "is reviewed in") in found.edges
    assert (queued, "review other", "is reviewed in") in first.edges


def test_a_record_that_was_decided_outside_the_queue_is_reviewed(
    command: Command, traced: Traced, inference: str, tmp_path: Path
) -> None:
    items = json.loads(_made(command, "other", "--runs", inference, "--random", "1", "--key", "id"))
    record = next(
        f"{inference}:{row}" for row in range(2) if items["items"][0]["record"][-2:] != f":{row}"
    )
    (tmp_path / "said.csv").write_text(f"key,record,verdict\none,{record},accept\n")
    assert command("review", "decide", "other", "--from", str(tmp_path / "said.csv"))[0] == 0

    assert (record, "review other", "is reviewed in") in traced(record).edges


def test_a_run_that_was_reviewed_as_a_whole_leads_to_its_review(
    command: Command, traced: Traced, inference: str
) -> None:
    _made(command, "whole", "--runs", inference, "--unit", "request", "--random", "1")

    found = traced(inference)

    assert (inference, "review whole", "is reviewed in") in found.edges
    assert found.nodes[f"input of {inference}"]["files"] == ["asked/rows.csv"]
    content = str(found.nodes[inference]["content"])
    assert (content, inference, "is the case of") in traced(content).edges


def test_a_run_leads_to_the_reviews_of_its_rows_also_when_it_is_gone(
    command: Command, traced: Traced, inference: str, candidate: str
) -> None:
    expected = {
        (inference, "review r", "is in the population of"),
        ("review r", "d@v1", "was made into"),
        ("d@v1", candidate, "trained"),
    }
    assert expected <= traced(inference).edges

    assert command("review", "close", "r")[0] == 0
    assert command("history", "remove", inference)[0] == 0

    found = traced(inference)
    assert (found.state(inference), expected <= found.edges) == ("pruned", True)


def test_what_any_review_has_copied_is_there_and_knows_the_model(
    home: Path, command: Command, traced: Traced, inference: str, rows: Rows
) -> None:
    _made(command, "newer", "--runs", inference, "--random", "1", "--key", "id")  # asked first
    assert command("review", "close", "r")[0] == 0
    assert command("dataset", "remove", "d@v1", "--force")[0] == 0
    shutil.rmtree(home / "history/inference" / inference)

    found = traced(rows[0]["record"])

    given = found.nodes[f"input of {rows[0]['record']}"]
    assert (given["state"], given["file"]) == ("present", "asked/rows.csv")
    assert found.state(inference) == "pruned"
    assert (rows[0]["model"], inference, "answered") in found.edges


def test_a_run_that_still_runs_is_present(
    home: Path, traced: Traced, candidate: str, tmp_path: Path
) -> None:
    (home / "history/train" / candidate).rename(tmp_path / "aside")
    record = json.loads((tmp_path / "aside/log/experimental_history.json").read_text())
    journal = Workspace(home).journal
    journal.parent.mkdir(parents=True, exist_ok=True)
    journal.write_text(json.dumps({"record": record}))

    found = traced(candidate)

    assert found.state(candidate) == "present"


def test_a_removed_case_that_tested_a_version_is_known(
    command: Command, traced: Traced, rows: Rows
) -> None:
    content = next(row["content"] for row in rows if row["split"] == "test")
    assert command("review", "remove", "r")[0] == 0
    assert command("dataset", "remove", "d@v1", "--force")[0] == 0

    found = traced(content)

    assert (found.kind, found.state("d@v1")) == ("content", "pruned")
    assert (content, "d@v1", "went to test") in found.edges


@pytest.mark.parametrize("unknown", ["nothing", "x:1", "e@v1", "d@v2", "0" * 32, "\udc80"])
def test_what_nothing_knows_of_is_unknown(command: Command, unknown: str) -> None:
    status, _, said = command("trace", unknown)

    assert status == 2
    assert "nothing is known of" in said


def _made(command: Command, *words: str) -> str:
    """Make a review; what `show --json` says of it."""
    assert command("review", "new", *words)[0] == 0
    return command("review", "show", words[0], "--json")[1]
