"""The feed has the inferences, what is low or has failed of them, and the alarms between them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.alarms.test_ledger import WINDOW
from tests.ui.test_alarms import set_alarm

from alo.alarms.ledger import change_ledger
from alo.alarms.watch import Change
from alo.errors import RunError
from alo.history.browse import History
from alo.history.index.pages import moment_of
from alo.layout import Workspace, find_plan
from alo.ui.screens import feed
from alo.ui.studio import Studio

RunIt = Callable[..., Any]


def note(workspace: Workspace, state: str, time: str) -> None:
    change = Change("score_below", state, 0.1, 0.5, 1)
    change_ledger(
        workspace, lambda now: now.with_changes([change], WINDOW, "p", time, is_sent=False)
    )


def just_after(time: str) -> str:
    return f"{time[:-7]}{int(time[-7:-1]) + 1:06}Z"


def infer(studio: Studio, run: RunIt, *depths: int) -> None:
    for depth in depths:
        with_x = (f"infer.x={depth}",)
        if depth == 13:  # with which the asset fails
            with pytest.raises(RunError):
                run(studio.workspace.home, mode="inference", overrides=with_x)
        else:
            run(studio.workspace.home, mode="inference", overrides=with_x)


def test_the_feed_has_the_inferences(client: httpx.Client, runs: dict[str, str]) -> None:
    assert [each["id"] for each in client.get("/feed.json").json()["items"]] == [runs["inference"]]


def test_as_csv_all_that_meet_the_filter_are_there(
    studio: Studio, client: httpx.Client, run: RunIt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST", 2)
    infer(studio, run, 1, 2, 13, 3)
    found = client.get("/feed.json?status=success").json()["items"]

    rows = list(csv.DictReader(client.get("/feed.csv?status=success&limit=1").text.splitlines()))

    assert [each["id"] for each in rows] == [each["id"] for each in found]
    assert [float(each["score"]) for each in rows] == [0.3, 0.2, 0.1]


def test_how_many_are_not_kept_is_said(
    client: httpx.Client, runs: dict[str, str], studio: Studio
) -> None:
    assert client.get("/feed.json").json()["not_kept"] == {"count": 0, "since": ""}
    assert "data-not-kept" not in client.get("/feed").text

    History(studio.workspace).remove([runs["inference"]])

    found = client.get("/feed.json").json()["not_kept"]
    page = client.get("/feed").text
    assert found["count"] == 1
    assert 'data-not-kept="1"' in page
    assert f'datetime="{found["since"]}"' in page


def test_what_is_below_the_score_and_what_has_failed_is_marked(
    studio: Studio, client: httpx.Client, runs: dict[str, str], run: RunIt
) -> None:
    set_alarm(studio.workspace, score_below=0.5)
    infer(studio, run, 13, 9)  # after the one of the fixture, whose score is 0.1

    found = client.get("/feed.json").json()
    page = client.get("/feed").text

    assert [(each["status"], each["below"]) for each in found["items"]] == [
        ("success", False),
        ("error", False),
        ("success", True),
    ]
    assert found["limits"] == {"score_below": 0.5, "class_mix": None}
    assert page.count("data-below>") == 1
    assert 'class="level"' in page  # the limit and the train run's score, in the chart
    assert page.count('data-state="error"') >= 1
    assert found["train"] == {"run": runs["train"], "score": 0.5, "shares": {}}


def test_alarms_are_between_the_requests_they_came_between(
    studio: Studio, client: httpx.Client, runs: dict[str, str], run: RunIt
) -> None:
    infer(studio, run, 1, 1)
    times = [each["start_time"] for each in client.get("/feed.json").json()["items"]]
    note(studio.workspace, "raised", just_after(times[1]))  # just after the second
    note(studio.workspace, "ended", "9999-01-01T00:00:00.000000Z")

    page = client.get("/feed").text
    rows = [part[:40] for part in page.split("<tr ")[1:] if part.startswith(("data-run", "class"))]

    assert ['data-alarm="score_below"' in row for row in rows] == [True, False, True, False, False]


def test_each_alarm_is_on_one_page(
    studio: Studio, client: httpx.Client, runs: dict[str, str], run: RunIt
) -> None:
    infer(studio, run, 1, 1)
    found = client.get("/feed.json?limit=1").json()
    start = found["items"][0]["start_time"]
    note(studio.workspace, "raised", just_after(start))
    note(studio.workspace, "ended", "2000-01-01T00:00:00.000000Z")

    states = []
    url = "/feed.json?limit=1"
    while url:
        content = client.get(url).json()
        states.append([each["state"] for each in content["alarms"]])
        url = content["next"] and content["next"].replace("/feed?", "/feed.json?")

    assert states == [["raised"], [], ["ended"]]
    key = httpx.URL(found["next"]).params["page"]
    assert moment_of(key) == start


def test_class_mixes_are_compared_with_the_train_run(
    studio: Studio, client: httpx.Client, run: RunIt
) -> None:
    home = studio.workspace.home
    for kind in ("train", "infer"):
        path = home / "assets" / kind / f"asset_{kind}.py"
        mix = {"good": 0.75, "bad": 0.25} if kind == "train" else {"good": 0.25, "bad": 0.75}
        path.write_text(path.read_text().replace('note="n"', f'note="n", probability={mix}'))
    run(home)

    (part,) = client.get("/feed.json").json()["mixes"]
    page = client.get("/feed").text

    assert part["shares"] == {"bad": 0.75, "good": 0.25}
    assert (part["distance"], part["margin"], part["requests"]) == (0.5, 0, 1)
    assert "Class mix over time" in page
    assert "train run" in page


def test_where_the_train_runs_mix_is_not_known_that_is_said(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    assert "No class mix is known of the train run" in client.get("/feed").text


def test_alarms_are_there_before_any_request_is_kept(studio: Studio, client: httpx.Client) -> None:
    path = find_plan(studio.workspace.home)
    plan = json.loads(path.read_text())
    path.write_text(json.dumps({**plan, "control": {"backup_artifacts": False}}))
    note(studio.workspace, "raised", "2026-01-01T00:00:00.000000Z")

    page = client.get("/feed").text

    assert 'data-alarm="score_below"' in page
    assert "No inference yet" in page
