"""Jobs on their pages."""

from __future__ import annotations

import csv

import httpx
import pytest

from alo.ui.screens import lists
from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_jobs_are_listed_page_by_page(client: httpx.Client, studio: Studio) -> None:
    added = [studio.jobs.add(["run"], "all", "ada").id for _ in range(3)]

    first = client.get("/jobs.json?limit=2").json()
    second = client.get(first["next"].replace("/jobs?", "/jobs.json?")).json()

    assert [each["id"] for each in first["items"] + second["items"]] == added[::-1]
    assert (first["total"], second["next"]) == (3, None)


def test_as_csv_all_jobs_are_there(
    client: httpx.Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 2)
    added = [studio.jobs.add(["run", "--set", "a.b=c d"], "all", "ada").id for _ in range(5)]

    answer = client.get("/jobs.csv?limit=1")

    rows = list(csv.DictReader(answer.text.splitlines()))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [each["id"] for each in rows] == added[::-1]
    assert {each["command"] for each in rows} == {"alo run --set 'a.b=c d'"}


def test_a_job_is_cancelled_once(client: httpx.Client, studio: Studio) -> None:
    job = studio.jobs.add(["run"], "all", "ada")

    answer = client.post(f"/jobs/{job.id}/cancel", json={}, headers=OWN)

    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert client.post(f"/jobs/{job.id}/cancel", json={}, headers=OWN).status_code == 409
    assert client.post("/jobs/none/cancel", json={}, headers=OWN).status_code == 404


def test_a_job_shows_its_command(client: httpx.Client, studio: Studio) -> None:
    job = studio.jobs.add(["run", "--set", "a.b=<b>"], "all", "ada")

    page = client.get(f"/jobs/{job.id}").text

    assert "alo run --set &#39;a.b=&lt;b&gt;&#39;" in page
    assert client.get(f"/jobs/{job.id}.json").json()["command"][0] == "alo"
