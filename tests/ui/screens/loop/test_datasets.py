"""Data sets on their pages: what is in a version, what differs, and what is wrong with one."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import httpx
import pytest
from tests.ui.screens.loop.conftest import Command

from alo.datasets.catalog import make_writable
from alo.review.reviews import Reviews
from alo.ui.screens import lists
from alo.ui.screens.loop import datasets
from alo.ui.studio import Studio


def lines(home: Path, version: str = "v1") -> list[dict[str, object]]:
    text = (home / "datasets/d" / version / "rows.jsonl").read_text()
    return [json.loads(each) for each in text.splitlines()]


@pytest.fixture
def second(command: Command, dataset: str) -> str:
    """Another version, of the same review and no base."""
    assert command("dataset", "make", "d", "--review", "r", "--base", "none") == 0
    return "d@v2"


def test_versions_are_listed_page_by_page_the_newest_first(
    client: httpx.Client, second: str
) -> None:
    first = client.get("/datasets.json?limit=1").json()
    following = client.get(first["next"].replace("/datasets?", "/datasets.json?")).json()

    assert [each["reference"] for each in first["items"] + following["items"]] == ["d@v2", "d@v1"]
    assert (first["total"], following["next"]) == (2, None)
    rows = list(csv.DictReader(client.get("/datasets.csv").text.splitlines()))
    assert [each["reference"] for each in rows] == ["d@v2", "d@v1"]
    assert 'data-dataset="d@v1"' in client.get("/datasets").text
    assert client.get("/datasets.json?q=none").json()["items"] == []


def test_without_any_the_page_names_the_command(client: httpx.Client) -> None:
    assert "alo dataset make NAME --review REVIEW" in client.get("/datasets").text


def test_a_version_has_its_counts_and_rows_and_its_test_rows_are_marked(
    client: httpx.Client, dataset: str, home: Path
) -> None:
    found = client.get("/datasets/d/v1.json?limit=500").json()
    page = client.get("/datasets/d/v1?limit=500").text

    assert [each["record"] for each in found["items"]] == [each["record"] for each in lines(home)]
    assert (found["damage"], found["total"], found["name"]) == ([], len(lines(home)), "d")
    testing = [each for each in lines(home) if each["split"] == "test"]
    assert page.count('data-split="test"') == len(testing) == sum(found["counts"]["test"].values())
    assert 'data-verify="whole"' in page
    assert "/models/retrain?dataset=d%40v1" in page


def test_rows_are_filtered_and_paged_and_the_filter_is_shown(
    client: httpx.Client, dataset: str, home: Path
) -> None:
    wanted = [
        each["record"] for each in lines(home) if each["split"] == "test" and each["new"] == "good"
    ]
    path = "/datasets/d/v1.json?split=test&new=good&limit=5"
    found: list[str] = []
    while path:
        page = client.get(path).json()
        found += [each["record"] for each in page["items"]]
        path = (page["next"] or "").replace("/v1?", "/v1.json?")

    assert (found, len(found) > 5) == (wanted, True)
    assert 'data-action="remove-filter"' in client.get("/datasets/d/v1?split=test").text
    rows = list(
        csv.DictReader(client.get("/datasets/d/v1.csv?split=test&new=good").text.splitlines())
    )
    assert [each["record"] for each in rows] == wanted
    assert client.get("/datasets/d/v1.json?split=odd").status_code == 422


def test_a_file_that_is_not_as_it_was_made_is_named(
    client: httpx.Client, dataset: str, home: Path
) -> None:
    folder = home / "datasets/d/v1"
    make_writable(folder)
    os.chmod(folder / "rows.jsonl", 0o644)
    text = (folder / "rows.jsonl").read_text()
    (folder / "rows.jsonl").write_text(f"{text}no row\n")

    found = client.get("/datasets/d/v1.json").json()

    assert found["damage"] == [{"path": "rows.jsonl", "what": "changed"}]
    assert found["total"] == len(text.splitlines())
    assert "is no reviewed row" in found["notes"][0]
    assert 'data-verify="damaged"' in client.get("/datasets/d/v1").text


def test_large_files_are_verified_where_that_is_asked_for(
    client: httpx.Client, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "LOOKED_AT_ONCE", 10)

    assert client.get("/datasets/d/v1.json").json()["damage"] is None
    assert 'data-verify="unknown"' in client.get("/datasets/d/v1").text
    assert client.get("/datasets/d/v1.json?verify=1").json()["damage"] == []


def test_a_version_whose_manifest_is_damaged_is_listed_with_what_is_wrong(
    client: httpx.Client, second: str, home: Path
) -> None:
    make_writable(home / "datasets/d/v1")
    os.chmod(home / "datasets/d/v1/manifest.json", 0o644)
    (home / "datasets/d/v1/manifest.json").write_text("{")

    items = client.get("/datasets.json").json()["items"]

    assert [bool(each["damaged"]) for each in items] == [False, True]
    assert 'data-state="damaged"' in client.get("/datasets").text
    assert client.get("/datasets/d/v1").status_code == 409


def test_what_differs_between_two_versions_is_a_page(client: httpx.Client, second: str) -> None:
    found = client.get("/datasets/d/v1/diff/v2.json").json()

    assert (found["from"], found["to"], found["total"]) == ("d@v1", "d@v2", 0)
    assert "train/known/rows.csv" in found["files"]
    assert 'data-screen="dataset_diff"' in client.get("/datasets/d/v1/diff/v2").text
    assert client.get("/datasets/d/v1/diff/v9").status_code == 404
    assert '/datasets/d/v1/diff/v2"' in client.get("/datasets/d/v2").text  # what is new in it


def test_the_page_and_the_command_tell_a_difference_in_the_same_direction(
    client: httpx.Client, second: str, command: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    for one, other in (("v1", "v2"), ("v2", "v1")):
        shown = client.get(f"/datasets/d/{one}/diff/{other}.json").json()
        capfd.readouterr()
        assert command("dataset", "diff", f"d@{one}", f"d@{other}", "--json") == 0

        reported = json.loads(capfd.readouterr().out)
        assert (reported["from"], reported["to"]) == (shown["from"], shown["to"])
        assert reported["counts"] == shown["counts"]


def test_rows_that_were_labelled_otherwise_since_are_in_the_difference(
    client: httpx.Client, dataset: str, command: Command, home: Path, tmp_path: Path
) -> None:
    row = next(each for each in lines(home) if each["new"] == "good")
    (tmp_path / "d.csv").write_text(f"record,verdict,label\n{row['record']},change,bad\n")
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv")) == 0
    assert command("dataset", "make", "d", "--review", "r") == 0

    found = client.get("/datasets/d/v1/diff/v2.json?change=relabelled").json()

    (item,) = found["items"]
    assert (item["record"], item["from"], item["label"]) == (row["record"], "good", "bad")
    assert 'data-change="relabelled"' in client.get("/datasets/d/v1/diff/v2").text


@pytest.mark.parametrize("path", ["/datasets/none/v1", "/datasets/d/v9", "/datasets/d/odd"])
def test_what_is_not_there_is_404(client: httpx.Client, dataset: str, path: str) -> None:
    assert client.get(path).status_code == 404


def test_as_csv_all_versions_are_there(
    client: httpx.Client, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 1)

    assert len(client.get("/datasets.csv?limit=1").text.splitlines()) == 3


def test_one_label_and_no_test_rows_are_said(
    client: httpx.Client, command: Command, home: Path
) -> None:
    assert command("dataset", "make", "e", "--review", "r", "--test-share", "0") == 0

    assert "No row tests" in client.get("/datasets/e/v1").text


def test_a_label_that_rows_have_by_two_names_is_said(
    client: httpx.Client, command: Command, home: Path, studio: Studio
) -> None:
    with (home / "known/rows.csv").open("a") as file:
        file.write("z,1,bad\n")
    assert command("dataset", "make", "d", "--review", "r") == 0
    Reviews(studio.database).change_labels("r", lambda labels: labels.rename("bad", "poor"))
    assert "data-two-names" not in client.get("/datasets/d/v1").text  # renamed since

    assert command("dataset", "make", "d", "--review", "r") == 0
    assert 'data-two-names="bad"' in client.get("/datasets/d/v2").text

    assert command("review", "remove", "r") == 0
    assert client.get("/datasets/d/v2").status_code == 200


def test_that_all_rows_have_one_label_is_said(
    client: httpx.Client, command: Command, tmp_path: Path
) -> None:
    items = client.get("/reviews/r/items.json?limit=1000").json()["items"]
    lines = [f"{each['record']},change,good" for each in items]
    (tmp_path / "d.csv").write_text("\n".join(["record,verdict,label", *lines, ""]))
    assert command("review", "decide", "r", "--from", str(tmp_path / "d.csv")) == 0
    assert command("dataset", "make", "d", "--review", "r") == 0

    assert "All rows have one label" in client.get("/datasets/d/v1").text


@pytest.mark.parametrize(
    "change",
    [{"record": "\ud800"}, {"run": 5}, {"model": {}}, {"predicted": [1]}, {"weight": 1e999},
     {"certainty": "x"}, {"by": {}}],
)  # fmt: skip
def test_a_row_that_somebody_changed_is_noted_and_not_a_fault(
    client: httpx.Client, dataset: str, home: Path, change: dict[str, object]
) -> None:
    folder = home / "datasets/d/v1"
    make_writable(folder)
    os.chmod(folder / "rows.jsonl", 0o644)
    first, *others = (folder / "rows.jsonl").read_text().splitlines()
    odd = json.dumps({**json.loads(first), **change})
    (folder / "rows.jsonl").write_text("\n".join([odd, *others, ""]))

    answer = client.get("/datasets/d/v1")

    assert answer.status_code == 200
    assert "line 1 is no reviewed row" in answer.text


def test_rows_that_have_no_end_are_not_waited_for(
    client: httpx.Client, dataset: str, home: Path
) -> None:
    folder = home / "datasets/d/v1"
    make_writable(folder)
    (folder / "rows.jsonl").unlink()
    os.mkfifo(folder / "rows.jsonl")

    for query in ("", "?q=a", "?new=good"):
        assert client.get(f"/datasets/d/v1{query}").status_code == 200
