"""The list of reviews says how far each is, and how accurate the model is by it."""

from __future__ import annotations

import csv
from pathlib import Path

import httpx
from tests.support.reviewed_project import make_review
from tests.ui.conftest import Browse
from tests.ui.screens.reviews.conftest import As

from alo.review.rows import CLOSED
from alo.ui.studio import Studio


def test_a_project_without_reviews_names_the_command_that_makes_one(client: httpx.Client) -> None:
    assert "alo review new NAME" in client.get("/reviews").text
    assert client.get("/reviews.json").json() == {"items": [], "next": None, "total": 0}


def test_each_review_has_its_progress_and_its_accuracy(
    home: Path, team: Studio, as_person: As
) -> None:
    make_review(home, team.database, random=16, uncertain=0)
    ada = as_person("ada")
    everything = {"scope": "filter", "filter": {}, "verdict": "accept"}
    ada.post("/reviews/patients/bulk", json=everything)

    (line,) = ada.get("/reviews.json").json()["items"]

    assert (line["name"], line["state"], line["by"]) == ("patients", "open", "ada")
    assert (line["queued"], line["decided"], line["population"]) == (16, 16, 16)
    assert line["accuracy"] == {"estimate": 1.0, "low": 1.0, "high": 1.0}
    assert 'data-review="patients"' in ada.get("/reviews").text
    (row,) = csv.DictReader(ada.get("/reviews.csv").text.splitlines())
    assert (row["name"], row["decided"], row["estimate"]) == ("patients", "16", "1.0")


def test_reviews_are_listed_page_by_page_and_by_state(
    home: Path, studio: Studio, browse: Browse
) -> None:
    for name in ("one", "two", "three"):
        make_review(home, studio.database, name, runs=1)
    studio.reviews.set_state("two", CLOSED)
    client = browse(studio)

    first = client.get("/reviews.json?limit=2").json()
    second = client.get(first["next"].replace("/reviews?", "/reviews.json?")).json()
    closed = client.get("/reviews.json?state=closed").json()

    assert [each["name"] for each in (*first["items"], *second["items"])] == ["three", "two", "one"]
    assert (first["total"], second["next"]) == (3, None)
    assert [each["name"] for each in closed["items"]] == ["two"]
    assert closed["total"] == 1
    assert 'data-action="remove-filter"' in client.get("/reviews?state=closed").text
    assert client.get("/reviews?state=lost").status_code == 422


def test_the_overview_shows_the_reviews_that_are_open(
    home: Path, studio: Studio, browse: Browse
) -> None:
    for name in ("one", "two"):
        make_review(home, studio.database, name, runs=1)
    studio.reviews.set_state("two", CLOSED)

    client = browse(studio)

    assert [each["name"] for each in client.get("/overview.json").json()["reviews"]] == ["one"]
    assert 'data-review="one"' in client.get("/").text
