"""Deployments on their page, and which model answered when."""

from __future__ import annotations

import csv
from pathlib import Path

import httpx
import pytest
from tests.ui.screens.loop.conftest import Command


@pytest.fixture
def deployed(command: Command, home: Path) -> str:
    """The run that was deployed."""
    assert command("deploy") == 0
    (entry,) = (home / "history/train").iterdir()
    return entry.name


def test_deployments_are_listed_and_say_who_and_why(client: httpx.Client, deployed: str) -> None:
    found = client.get("/models/log.json").json()

    (item,) = found["items"]
    assert (item["run"], item["why"], found["total"]) == (deployed, "deploy", 1)
    assert deployed in client.get("/models/log").text
    assert "data-promotion=" in client.get("/models").text
    rows = list(csv.DictReader(client.get("/models/log.csv").text.splitlines()))
    assert [each["run"] for each in rows] == [deployed]


def test_they_are_paged_the_newest_first(
    client: httpx.Client, deployed: str, command: Command, home: Path
) -> None:
    assert command("run", "--mode", "train", "--quiet") == 0
    assert command("deploy") == 0

    first = client.get("/models/log.json?limit=1").json()
    second = client.get(first["next"].replace("/log?", "/log.json?")).json()

    assert second["items"][0]["run"] == deployed != first["items"][0]["run"]
    assert second["next"] is None


@pytest.mark.parametrize("path", ["/models", "/models/log"])
def test_at_a_time_it_says_which_model_answered(
    client: httpx.Client, deployed: str, path: str
) -> None:
    now = client.get(f"{path}.json?at=0s").json()["at"]
    before = client.get(f"{path}.json?at=2020-01-01").json()["at"]

    assert (now["run"], before["run"]) == (deployed, None)
    assert f'data-at="{deployed}"' in client.get(f"{path}?at=0s").text
    assert client.get(f"{path}?at=nonsense").status_code == 422


def test_without_any_the_page_names_the_command(client: httpx.Client) -> None:
    assert "alo deploy" in client.get("/models/log").text


def test_a_damaged_log_is_said_and_the_models_are_shown(
    client: httpx.Client, deployed: str, home: Path
) -> None:
    (home / "solution/promotions.jsonl").write_text("{}\n" * 3)

    for path in ("/models/log", "/models"):
        page = client.get(path)
        assert (page.status_code, "the promotions is damaged" in page.text) == (200, True)
