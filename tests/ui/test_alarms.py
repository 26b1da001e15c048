"""What the studio knows of alarms."""

from __future__ import annotations

import json

import httpx
from tests.alarms.test_ledger import ENDED, RAISED, after

from alo.alarms.ledger import FAILED, NOTHING, change_ledger, ledger_path
from alo.layout import Workspace, find_plan
from alo.plan.model import Alarm
from alo.ui.alarms import NO_ALARM, alarms_of
from alo.ui.studio import Studio


def set_alarm(workspace: Workspace, **alarm: object) -> None:
    path = find_plan(workspace.home)
    path.write_text(json.dumps({**json.loads(path.read_text()), "alarm": alarm}))


def test_the_plans_alarm_is_read_again_once_it_changes(studio: Studio) -> None:
    assert alarms_of(studio.workspace).alarm == NO_ALARM

    set_alarm(studio.workspace, score_below=0.5)
    assert alarms_of(studio.workspace).alarm == Alarm(0.5)

    find_plan(studio.workspace.home).write_text("alarm: {")
    assert alarms_of(studio.workspace).alarm == NO_ALARM
    find_plan(studio.workspace.home).unlink()
    assert alarms_of(studio.workspace).alarm == NO_ALARM


def test_the_overview_shows_what_is_raised_and_whether_it_came_through(
    studio: Studio, client: httpx.Client
) -> None:
    assert "the plan asks for none" in client.get("/").text
    set_alarm(studio.workspace, failures=0.1, of_last=20)
    assert "none is raised" in client.get("/").text

    noted = change_ledger(studio.workspace, lambda now: after(now, RAISED))
    (crossing,) = noted.crossings
    (shown,) = client.get("/overview.json").json()["alarms"]
    assert (shown["id"], shown["alarm"], shown["delivery"]) == (crossing.id, "failures", "waiting")
    assert client.get("/overview.json").json()["watched"] == ["failures"]
    change_ledger(studio.workspace, lambda now: now.with_call(crossing.id, FAILED, "it is away"))
    page = client.get("/").text
    assert 'data-alarm="failures" data-state="raised"' in page
    assert "it is away" in page

    change_ledger(studio.workspace, lambda now: after(now, ENDED))
    assert client.get("/overview.json").json()["alarms"] == []


def test_what_cannot_be_read_is_said_and_hides_nothing_else(
    studio: Studio, client: httpx.Client
) -> None:
    ledger_path(studio.workspace).write_text("{")

    for path in ("/", "/feed"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "what is noted of alarms cannot be read" in answer.text
    assert alarms_of(studio.workspace).ledger == NOTHING
