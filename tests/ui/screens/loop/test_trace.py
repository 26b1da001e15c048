"""One id is followed through everything, on a page where each node leads on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.support.loop_project import LAX
from tests.ui.screens.loop.conftest import Command

from alo.history.deployment import read_deployment
from alo.layout import Workspace


@pytest.fixture
def candidate(command: Command, dataset: str, home: Path) -> str:
    """The run of a candidate that is deployed."""
    assert command("retrain", "--dataset", dataset, *LAX, "--deploy", "--json") == 0
    return read_deployment(Workspace(home)).run


@pytest.fixture
def row(dataset: str, home: Path) -> dict[str, str]:
    """A reviewed row that trains."""
    lines = (home / "datasets/d/v1/rows.jsonl").read_text().splitlines()
    return next(row for row in map(json.loads, lines) if row["split"] == "train")


def test_a_record_leads_from_its_input_to_the_model_that_learned_from_it(
    client: httpx.Client,
    candidate: str,
    row: dict[str, str],
    command: Command,
    capfd: pytest.CaptureFixture[str],
) -> None:
    found = client.get(f"/trace/{quote(row['record'])}.json").json()

    capfd.readouterr()
    assert command("trace", row["record"], "--json") == 0
    assert json.loads(capfd.readouterr().out) == found
    kinds = {each["kind"] for each in found["nodes"]}
    assert kinds == {
        "input", "record", "run", "data", "review", "decision", "dataset", "comparison",
        "promotion",
    }  # fmt: skip
    given = next(each for each in found["nodes"] if each["kind"] == "input")
    number = int(row["record"].rpartition(":")[2])
    assert (given["file"], given["row"]) == ("asked/rows.csv", number)
    page = client.get(f"/trace/{quote(row['record'])}").text
    for node in found["nodes"]:
        assert f'data-node="{node["id"]}"' in page
    assert page.count('class="node"') == len(found["nodes"])


def test_each_node_leads_to_a_page_that_is_there(
    client: httpx.Client, candidate: str, row: dict[str, str]
) -> None:
    page = client.get(f"/trace/{quote(row['record'])}").text

    links = set(re.findall(r'<a href="(/[^"]+)" tabindex="-1"', page))
    assert len(links) >= 8
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link


@pytest.mark.parametrize("kind", ["run", "dataset", "content"])
def test_runs_data_sets_and_cases_are_followed_too(
    client: httpx.Client, candidate: str, row: dict[str, str], kind: str
) -> None:
    wanted = {"run": candidate, "dataset": "d@v1", "content": row["content"]}[kind]

    found = client.get(f"/trace/{quote(wanted)}.json").json()

    assert (found["id"], found["kind"]) == (wanted, kind)
    assert candidate in {each["id"] for each in found["nodes"]}
    assert "data-here" in client.get(f"/trace/{quote(wanted)}").text


def test_what_was_pruned_is_named_as_such(
    client: httpx.Client, candidate: str, row: dict[str, str], command: Command
) -> None:
    run = row["record"].rpartition(":")[0]
    assert command("review", "close", "r") == 0
    assert command("history", "remove", run) == 0

    found = client.get(f"/trace/{quote(row['record'])}.json").json()
    alone = client.get(f"/trace/{run}.json").json()

    states = {each["id"]: each["state"] for each in found["nodes"]}
    assert states[run] == "pruned"
    assert alone["nodes"][0] == {"kind": "run", "id": run, "state": "pruned"}
    page = client.get(f"/trace/{quote(row['record'])}").text
    assert f'data-node="{run}" data-kind="run" data-state="pruned"' in page


def test_a_damaged_comparison_hides_nothing_else(
    client: httpx.Client, candidate: str, home: Path
) -> None:
    (home / "history/train" / candidate / "log/comparison.json").write_text("{")

    found = client.get(f"/trace/{candidate}.json").json()

    (compared,) = [each for each in found["nodes"] if each["kind"] == "comparison"]
    assert "cannot be read" in compared["why"]
    assert "promotion" in {each["kind"] for each in found["nodes"]}


@pytest.mark.parametrize("wanted", ["nothing", "x:1", "e@v1", "0" * 32, "<script>"])
def test_an_unknown_id_is_404(client: httpx.Client, dataset: str, wanted: str) -> None:
    assert client.get(f"/trace/{quote(wanted)}").status_code == 404


@pytest.mark.parametrize("path", ["/runs", "/feed", "/models", "/datasets", "/runs/{run}"])
def test_ids_lead_to_their_traces(
    client: httpx.Client, candidate: str, home: Path, path: str
) -> None:
    page = client.get(path.format(run=candidate)).text

    assert 'class="trace" href="/trace/' in page


def test_a_row_that_the_run_does_not_have_is_unknown(client: httpx.Client, home: Path) -> None:
    (run,) = (each.name for each in (home / "history/inference").iterdir())

    assert client.get(f"/trace/{run}:99").status_code == 200
    for row in ("100", "999999", "9" * 30, "\u00b2", "\u0663"):
        assert client.get(f"/trace/{run}:{row}").status_code == 404


def test_what_was_removed_has_a_page_to_which_all_that_links_to_it_leads(
    client: httpx.Client, candidate: str, command: Command, row: dict[str, str]
) -> None:
    run = row["record"].rpartition(":")[0]
    assert command("dataset", "remove", "d@v1", "--force") == 0
    assert command("review", "remove", "r") == 0
    assert command("history", "remove", run) == 0

    for path, wanted in (
        ("/datasets/d/v1", "d@v1"),
        ("/reviews/r", "review r"),
        (f"/runs/{run}", run),
        (f"/runs/{run}/files", run),
    ):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (
            303, f"/trace/{quote(wanted, safe='')}",
        )  # fmt: skip
        page = client.get(answer.headers["location"]).text
        assert f'data-node="{wanted}"' in page
        assert 'data-state="pruned"' in page
        assert client.get(f"{path}.json").status_code == 404


def test_no_link_of_a_page_about_what_was_removed_leads_nowhere(
    client: httpx.Client, candidate: str, command: Command, row: dict[str, str]
) -> None:
    run = row["record"].rpartition(":")[0]
    assert command("review", "remove", "r") == 0
    assert command("history", "remove", run) == 0
    pages = [f"/trace/{quote(row['record'])}", "/trace/d@v1", "/datasets/d/v1", "/audit"]
    pages += [f"/models/{candidate}", f"/trace/{candidate}", "/models/log", "/models", "/"]
    leads_nowhere(client, pages)

    assert command("dataset", "remove", "d@v1", "--force") == 0
    leads_nowhere(client, [each for each in pages[1:] if each != "/datasets/d/v1"])


def leads_nowhere(client: httpx.Client, pages: list[str]) -> None:
    for path in pages:
        page = client.get(path)
        assert page.status_code == 200, path
        for link in sorted(set(re.findall(r'href="(/[^"#]+)"', page.text))):
            answer = client.get(link.replace("&amp;", "&"), follow_redirects=True)
            assert answer.status_code == 200, (path, link)


def test_of_what_nothing_knows_no_trace_is_offered(client: httpx.Client, candidate: str) -> None:
    answer = client.get("/models/nope")

    assert answer.status_code == 404
    assert "/trace/" not in answer.text


def test_the_case_of_a_record_in_no_review_leads_nowhere_where_nothing_knows_it(
    client: httpx.Client, command: Command, home: Path
) -> None:
    (home / "asked/rows.csv").write_text("id,x\nnew,1000\n")
    before = {path.name for path in (home / "history/inference").iterdir()}
    assert command("run", "--mode", "inference", "--quiet") == 0
    (run,) = {path.name for path in (home / "history/inference").iterdir()} - before
    record = f"{run}:0"

    found = client.get(f"/trace/{record}.json").json()

    content = next(each["content"] for each in found["nodes"] if each["kind"] == "record")
    page = client.get(f"/trace/{record}").text
    assert content in page
    assert f"/trace/{content}" not in page
    assert client.get(f"/trace/{content}").status_code == 404


def test_a_request_is_followed(client: httpx.Client, home: Path) -> None:
    (path,) = (home / "history/inference").glob("*/log/experimental_history.json")
    content = {**json.loads(path.read_text()), "overrides": ["request req-1"]}
    path.write_text(json.dumps(content))

    found = client.get("/trace/req-1.json").json()
    page = client.get("/trace/req-1", params={"lang": "ko"}).text

    assert (found["id"], found["kind"]) == ("req-1", "request")
    assert "다음 실행이 답함" in page
    assert 'data-trace="req-1"' in client.get("/feed").text
