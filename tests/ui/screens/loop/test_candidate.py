"""A candidate on its page: what the gate says, why, what would help, and how it is deployed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import httpx
import pytest
from tests.support.loop_project import LAX
from tests.ui.conftest import Browse, MakeStudio
from tests.ui.screens.loop.conftest import Command

from alo.history.deployment import read_deployment
from alo.history.promotions import promotions
from alo.layout import Workspace
from alo.loop.candidates import keep_candidate

OWN = {"Origin": "http://127.0.0.1:8811"}


def newest(client: httpx.Client) -> str:
    return str(client.get("/models.json").json()["items"][0]["id"])


@pytest.fixture
def passing(client: httpx.Client, command: Command, dataset: str) -> str:
    """A candidate that the gate lets pass."""
    assert command("retrain", "--dataset", dataset, *LAX, "--json") == 0
    return newest(client)


@pytest.fixture
def held(client: httpx.Client, command: Command, dataset: str) -> str:
    """One that is worse."""
    assert command("retrain", "--dataset", dataset, *LAX, "--set", "train.how=worst", "--json") == 3
    return newest(client)


def test_one_that_passes_says_so_with_its_numbers_and_is_deployed_there(
    client: httpx.Client, passing: str, home: Path
) -> None:
    found = client.get(f"/models/{passing}.json").json()
    page = client.get(f"/models/{passing}").text

    kept = json.loads((home / "history/train" / passing / "log/comparison.json").read_text())
    assert found["comparison"] == kept
    assert (found["dataset"], found["deployed"]) == ("d@v1", False)
    assert 'data-verdict="pass"' in page
    for chart in ("accuracy", "difference"):
        assert f'data-chart="{chart}"' in page
    assert page.count("data-confusion=") == 2
    assert f"{kept['new']['accuracy']:.1%}" in page
    assert f"{kept['difference']['bound']:.1%}" in page
    assert "alo retrain" in page.replace("&#39;", "'")
    answer = client.post("/deploy", data={"run": passing}, headers=OWN)
    assert answer.status_code == 303
    assert read_deployment(Workspace(home)).run == passing
    again = client.get(f"/models/{passing}")
    assert 'data-state="deployed"' in again.text
    assert "data-promotion=" in again.text


def test_one_that_is_held_says_why_and_is_deployed_with_a_reason_alone(
    client: httpx.Client, held: str, home: Path
) -> None:
    page = client.get(f"/models/{held}").text
    assert 'data-verdict="held"' in page
    for reason in ("not_shown_no_worse", "no_gain"):
        assert f'data-reason="{reason}"' in page
    assert 'data-action="force-deploy"' in page
    assert dict(re.findall(r'data-rule="(\w+)" data-state="(\w+)"', page)) == {
        "candidate_failed": "pass",
        "too_few_rows": "pass",
        "rows_unanswered": "pass",
        "test_in_training": "pass",
        "not_shown_no_worse": "held",
        "no_gain": "held",
        "slice_worse": "pass",
    }
    assert len(re.findall(r"<small>[A-Z][^<]+</small></li>", page)) == 2  # what to do

    refused = client.post("/deploy", json={"run": held}, headers=OWN)
    assert refused.status_code == 409
    assert "the gate holds" in refused.json()["error"]["what"]
    assert read_deployment(Workspace(home)).run == ""

    answer = client.post("/deploy", json={"run": held, "reason": "a demo"}, headers=OWN)
    assert answer.status_code == 200
    (line,) = promotions(Workspace(home))
    assert (line.run, line.why) == (held, "forced: a demo")
    change = client.get("/audit.json").json()["items"][0]
    assert (change["act"], change["after"]["reason"]) == ("deploy", "a demo")


def test_records_of_which_they_say_different_things_are_paged_what_is_lost_first(
    client: httpx.Client, held: str
) -> None:
    compared = client.get(f"/models/{held}.json").json()["comparison"]
    path, found = f"/models/{held}.json?limit=3", []
    while path:
        page = client.get(path).json()
        found += page["items"]
        path = (page["next"] or "").replace(f"/models/{held}?", f"/models/{held}.json?")

    assert (found, len(found) > 3) == (compared["changed"], True)
    rows = list(csv.DictReader(client.get(f"/models/{held}.csv").text.splitlines()))
    assert [each["record"] for each in rows] == [each["record"] for each in found]
    first = client.get(f"/models/{held}?limit=1").text
    assert f'data-record="{found[0]["record"]}" data-change="lost"' in first


def test_too_few_rows_come_with_how_many_reviews_would_help(
    client: httpx.Client, command: Command, dataset: str
) -> None:
    assert command("retrain", "--dataset", dataset, "--gate", "min_rows=99", "--json") == 3

    page = client.get(f"/models/{newest(client)}").text

    needed = client.get(f"/models/{newest(client)}.json").json()["comparison"]["needed"]
    assert f'data-needed="{needed}"' in page
    assert "the gate wants 99" in page


@pytest.mark.parametrize(
    ("how", "reason"), [("mute", "candidate_failed"), ("short", "rows_unanswered")]
)
def test_one_that_fails_or_leaves_rows_out_is_held_for_that(
    client: httpx.Client, command: Command, dataset: str, how: str, reason: str
) -> None:
    assert (
        command("retrain", "--dataset", dataset, *LAX, "--set", f"train.how={how}", "--json") == 3
    )

    page = client.get(f"/models/{newest(client)}").text
    assert f'data-reason="{reason}"' in page
    assert f'data-rule="{reason}" data-state="held"' in page


def test_one_without_test_rows_is_held_and_the_page_says_that_nothing_can_be_told(
    client: httpx.Client, command: Command
) -> None:
    assert command("dataset", "make", "e", "--review", "r", "--test-share", "0") == 0
    assert command("retrain", "--dataset", "e", "--json") == 3

    page = client.get(f"/models/{newest(client)}").text

    assert "There is no test row" in page
    assert "data-chart=" not in page


def test_a_model_that_was_never_compared_names_the_command(client: httpx.Client) -> None:
    page = client.get(f"/models/{newest(client)}").text

    assert "alo retrain --dataset NAME" in page
    assert 'data-action="deploy"' in page


def test_the_champions_run_may_be_pruned(
    client: httpx.Client, passing: str, held: str, command: Command, home: Path
) -> None:
    old = client.get(f"/models/{passing}.json").json()["comparison"]["old"]["run"]
    (home / "train_artifacts").rename(home / "gone")
    keep_candidate(Workspace(home), "d", ["another"])  # of the next candidate
    command("history", "remove", old)

    assert client.get(f"/models/{old}.json").status_code == 404
    assert client.get(f"/models/{old}").headers["location"] == f"/trace/{old}"
    assert client.get(f"/models/{passing}").status_code == 200


def test_a_damaged_comparison_is_said(client: httpx.Client, passing: str, home: Path) -> None:
    (home / "history/train" / passing / "log/comparison.json").write_text("{")

    answer = client.get(f"/models/{passing}")

    assert answer.status_code == 200
    assert "the comparison cannot be read" in answer.text
    assert client.get("/models").status_code == 200


def test_what_is_no_model_is_404(client: httpx.Client, home: Path) -> None:
    (inference,) = (home / "history/inference").iterdir()

    assert client.get("/models/none").status_code == 404
    assert client.get(f"/models/{inference.name}").status_code == 404


def test_a_viewer_sees_it_and_cannot_deploy(
    make_studio: MakeStudio, browse: Browse, passing: str
) -> None:
    studio = make_studio()
    viewer = browse(studio)
    viewer.headers["Authorization"] = f"Bearer {studio.people.add_token('looks', 'viewer')}"

    page = viewer.get(f"/models/{passing}", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert 'data-action="deploy"' not in page.text
    assert viewer.post("/deploy", json={"run": passing}).status_code == 403


def test_a_comparison_of_another_shape_is_said_on_every_page(
    client: httpx.Client, passing: str, command: Command, home: Path
) -> None:
    path = home / "history/train" / passing / "log/comparison.json"
    whole = json.loads(path.read_text())
    for odd in ({"verdict": "pass"}, {**whole, "confusion": {"old": {"a": 5}}}):
        path.write_text(json.dumps(odd))

        assert "the comparison is damaged" in client.get(f"/models/{passing}").text
        assert client.get("/models").status_code == 200
        assert client.get(f"/trace/{passing}").status_code == 200
        assert command("models", "list") == 0
        assert command("deploy", passing) == 1


def test_numbers_that_no_drawing_could_hold_are_not_drawn(
    client: httpx.Client, passing: str, home: Path
) -> None:
    path = home / "history/train" / passing / "log/comparison.json"
    whole = json.loads(path.read_text())
    wide = {"value": 1e308, "low": -1e308, "high": 1e308, "bound": 0}
    path.write_text(json.dumps({**whole, "difference": wide, "gate": {"max_loss": 1e308}}))

    assert client.get(f"/models/{passing}").status_code == 200
