"""Data sets that are made in the studio: by a form, by scripts, once, and only as they may be."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import httpx
import pytest
from tests.ui.conftest import Browse, MakeStudio
from tests.ui.screens.loop.conftest import Command, Ended

from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_a_version_is_made_by_a_job_in_the_name_of_who_has_asked(
    client: httpx.Client, ended: Ended, home: Path, studio: Studio
) -> None:
    body = {"name": "d", "reviews": ["r"], "note": "first", "key": "k"}

    answer = client.post("/datasets", json=body, headers=OWN)
    again = client.post("/datasets", json=body, headers=OWN)

    assert (answer.status_code, answer.json()["id"]) == (202, again.json()["id"])
    job = ended(answer.json()["id"])
    assert (job.state, job.exit_status, job.made) == ("success", 0, "d@v1")
    manifest = json.loads((home / "datasets/d/v1/manifest.json").read_text())
    assert (manifest["who"], manifest["note"]) == ("local", "first")
    assert 'data-dataset="d@v1"' in client.get(f"/jobs/{job.id}").text
    assert 'data-dataset="d@v1"' in client.get("/jobs").text
    assert "make-dataset" in [each.act for each in studio.audit.changes()]


def test_the_same_decisions_make_no_other_version(
    client: httpx.Client, ended: Ended, home: Path
) -> None:
    ids = [
        client.post("/datasets", json={"name": "d", "review": "r"}, headers=OWN).json()["id"]
        for _ in range(2)
    ]

    assert {ended(each).made for each in ids} == {"d@v1"}
    assert [path.name for path in (home / "datasets/d").glob("v*")] == ["v1"]


def test_the_form_is_filled_in_and_sends_what_a_script_does(
    client: httpx.Client, ended: Ended
) -> None:
    page = client.get("/datasets/new?review=r").text
    assert 'data-screen="make_dataset"' in page
    assert 'data-action="make-dataset"' in page
    assert "alo dataset make r --review r" in page

    form = {"name": "d", "reviews": "r", "base": "none", "test_share": "0.5", "key": "f"}
    answer = client.post("/datasets", data=form, headers=OWN)

    assert answer.status_code == 303
    job = ended(answer.headers["location"].rpartition("/")[2])
    assert (job.state, job.made) == ("success", "d@v1")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "../d", "reviews": ["r"]}, "name"),
        ({"name": "", "reviews": ["r"]}, "name"),
        ({"name": "--json", "reviews": ["r"]}, "name"),
        ({"name": "d", "reviews": ["r"], "base": "x" * 300}, "base"),
        ({"name": "d", "reviews": ["r"], "test_share": 10**400}, "test_share"),
        ({"name": "d", "reviews": []}, "reviews"),
        ({"name": "d", "reviews": ["none"]}, "reviews"),
        ({"name": "d", "reviews": [1]}, "reviews"),
        ({"name": "d", "reviews": ["r"], "base": "none@v1"}, "base"),
        ({"name": "d", "reviews": ["r"], "test_share": 2}, "test_share"),
        ({"name": "d", "reviews": ["r"], "test_share": "much"}, "test_share"),
        ({"name": "d", "reviews": ["r"], "note": "n" * 2001}, "note"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    client: httpx.Client, studio: Studio, body: dict[str, object], field: str
) -> None:
    answer = client.post("/datasets", json=body, headers=OWN)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["fields"]] == [field]
    assert studio.jobs.count == 0


def test_what_a_command_finds_wrong_is_in_the_jobs_output(
    client: httpx.Client, ended: Ended, command: Command, home: Path
) -> None:
    (home / "known/rows.csv").write_text("id,x\na,1\n")

    job = ended(
        client.post("/datasets", json={"name": "d", "review": "r"}, headers=OWN).json()["id"]
    )

    assert (job.state, job.exit_status, job.made) == ("error", 1, "")
    output = client.get(f"/jobs/{job.id}.json").json()["output"]
    assert "no table of the base has a column 'kind'" in " ".join(output)
    assert not list((home / "datasets").glob("*/*"))


def test_without_a_review_the_page_names_the_command(
    client: httpx.Client, command: Command
) -> None:
    command("review", "remove", "r")

    assert "alo review new NAME" in client.get("/datasets/new").text


def test_what_a_token_of_a_person_does_is_done_in_the_persons_name(
    make_studio: MakeStudio,
    browse: Browse,
    home: Path,
    command: Command,
    capfd: pytest.CaptureFixture[str],
) -> None:
    studio = make_studio()
    studio.people.add("ada", "reviewer", "long enough for ada")
    capfd.readouterr()
    assert command("ui", "tokens", "add", "script", "--user", "ada") == 0
    token = capfd.readouterr().out.removesuffix("\n")
    client = browse(studio)
    client.headers["Authorization"] = f"Bearer {token}"
    (item, *_) = client.get("/reviews/r/items.json").json()["items"]
    decision = {"key": "k", "record": item["record"], "verdict": "skip", "seen": item["seen"]}

    decided = client.post(
        "/reviews/r/decisions", json={"decisions": [{**decision, "replace": True}]}
    )
    made = client.post("/datasets", json={"name": "d", "review": "r"})

    assert decided.json()["results"][0]["state"] == "saved"
    assert (made.status_code, made.json()["by"]) == (202, "ada")
    after = client.get("/reviews/r/items.json").json()["items"][0]
    assert (after["state"], after["by"]) == ("skipped", "ada")
    assert [each.by for each in studio.audit.changes() if each.act == "make-dataset"] == ["ada"]


def test_a_base_that_has_gone_is_said_and_nothing_is_made(
    client: httpx.Client, ended: Ended, home: Path
) -> None:
    shutil.rmtree(home / "known")
    shutil.rmtree(home / "input/train", ignore_errors=True)

    job = ended(
        client.post("/datasets", json={"name": "d", "review": "r"}, headers=OWN).json()["id"]
    )

    assert (job.state, job.made) == ("error", "")
    output = " ".join(client.get(f"/jobs/{job.id}.json").json()["output"])
    assert "the train data of the plan is not here" in output
    assert client.get("/datasets.json").json()["items"] == []


def test_a_refused_form_is_shown_as_it_was_sent_with_each_wrong_field_named(
    client: httpx.Client,
) -> None:
    sent = {
        "name": "a/b", "reviews": "r", "base": "none@v9", "test_share": "2", "note": "by <hand>",
        "key": "k1",
    }  # fmt: skip

    answer = client.post("/datasets", data=sent, headers=OWN)

    assert answer.status_code == 422
    form = answer.text.partition('<form class="args"')[2]
    for value in ("a/b", "none@v9", "2", "by &lt;hand&gt;", "k1"):
        assert f'value="{value}"' in form
    assert 'value="r" checked' in form
    assert re.findall('name="([a-z_]+)"[^>]*aria-invalid="true"', form) == [
        "name", "base", "test_share",
    ]  # fmt: skip
    assert len(re.findall('class="wrong" role="alert">[^<]', form)) == 3
    assert form.count("autofocus") == 1
