"""Running again: what was asked for is checked at the field, and then a job."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def start(client: httpx.Client, **body: Any) -> Any:
    return client.post("/runs", json=body, headers=OWN)


def test_a_run_is_started_with_other_args(client: httpx.Client, studio: Studio) -> None:
    answer = start(client, pipeline="train", args={"train": {"x": 7, "kind": "b"}}, key="once")

    assert answer.status_code == 202
    job = answer.json()
    assert job["state"] == "queued"
    assert job["command"][:6] == ["alo", "run", "--mode", "train", "--json", "--set"]
    assert "train.train.x=7" in job["command"]
    assert 'train.train.kind="b"' in job["command"]
    again = start(client, pipeline="train", args={"train": {"x": 7}}, key="once")
    assert again.json()["id"] == job["id"]
    assert [each.act for each in studio.audit.changes()] == ["run"]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"train": {"x": 100}}, "args.train.x"),
        ({"train": {"x": "7"}}, "args.train.x"),
        ({"train": {"x": True}}, "args.train.x"),
        ({"train": {"kind": "c"}}, "args.train.kind"),
        ({"train": {"other": 1}}, "args.train.other"),
        ({"nope": {"x": 1}}, "args.nope"),
        ({"train": 3}, "args.train"),
        ([], "args"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_starts_nothing(
    client: httpx.Client, studio: Studio, args: object, field: str
) -> None:
    answer = start(client, pipeline="train", args=args)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["fields"]] == [field]
    assert studio.jobs.count == 0


def test_other_data_that_is_not_there_is_said(client: httpx.Client) -> None:
    answer = start(client, pipeline="train", data="./nowhere/")

    assert answer.status_code == 422
    assert "nowhere" in json.dumps(answer.json())
    assert [each["field"] for each in answer.json()["fields"]] == ["data"]


def test_a_form_leads_to_its_job(
    client: httpx.Client, studio: Studio, runs: dict[str, str]
) -> None:
    page = client.get(f"/runs/{runs['train']}/again")
    assert 'name="args.train.x"' in page.text
    assert "how deep" in page.text
    form = {"pipeline": "train", "args.train.x": "8", "args.train.kind": "a", "args.train.free": ""}

    answer = client.post("/runs", data=form, headers=OWN)

    assert answer.status_code == 303
    (job,) = studio.jobs.list()
    assert answer.headers["location"] == f"/jobs/{job.id}"
    assert list(job.command) == ["run", "--mode", "train", "--json", "--set", "train.train.x=8"]


def test_a_form_that_is_refused_is_shown_as_it_was_sent(
    client: httpx.Client, studio: Studio
) -> None:
    form = {"pipeline": "train", "args.train.kind": "b", "args.train.x": "1000", "key": "once"}

    answer = client.post("/runs", data={**form, "data": "./here"}, headers=OWN)

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert 'inputmode="decimal" value="1000" aria-invalid="true" autofocus>' in answer.text
    assert '<span class="wrong" role="alert">it has to be from 1 to 99</span>' in answer.text
    assert '<option value="b" data-yaml="&#34;b&#34;" selected>' in answer.text
    assert 'name="data" value="./here">' in answer.text
    assert 'name="key" value="once"' in answer.text
    assert answer.text.count("autofocus") == 1
    lost = client.post("/runs", data={**form, "args.train.x": "7", "data": "./none"}, headers=OWN)
    assert 'name="data" value="./none" aria-invalid="true" autofocus>' in lost.text
    assert client.post("/runs.json", data=form, headers=OWN).json()["fields"]
    assert studio.jobs.count == 0
    assert client.post("/runs", data={**form, "args.train.x": "7"}, headers=OWN).status_code == 303


def test_what_is_wrong_at_no_field_is_said_above_the_form(client: httpx.Client, home: Path) -> None:
    (home / "assets/train/asset_train.py").unlink()

    answer = client.post("/runs", data={"pipeline": "train"}, headers=OWN)

    assert answer.status_code == 422
    assert "asset_train.py" in re.findall(r'role="alert" data-refusal.*?</p>', answer.text)[0]
    assert "autofocus" not in answer.text


def test_a_plan_that_cannot_be_read_is_said(client: httpx.Client, home: Path) -> None:
    (home / "solution/experimental_plan.yaml").write_text("{")

    assert client.get("/new").status_code == 409
    assert client.get("/runs").status_code == 200


def test_the_form_of_an_earlier_run_shows_the_command_with_its_args(
    client: httpx.Client, run: Any, home: Path
) -> None:
    overrides = ("train.train.x=7", "train.train.kind=b")
    (earlier,) = run(home, mode="train", overrides=overrides)

    page = client.get(f"/runs/{earlier.run_id}/again").text
    as_planned = client.get("/new").text

    command = (
        "alo run --mode train --set train.train.x=7 --set &#39;train.train.kind=&#34;b&#34;&#39;"
    )
    assert f"<code>{command}</code>" in page
    assert 'name="args.train.x" data-plan="5" inputmode="decimal" value="7"' in page
    assert "<code>alo run --mode train</code>" in as_planned
