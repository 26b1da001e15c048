"""The accuracy on its page is that of the command line, in words and as a drawing with a table."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from tests.support.reviewed_project import make_review
from tests.ui.screens.reviews.conftest import As

from alo.loop.accuracy_of import accuracy_of, every_item
from alo.review.rows import Review
from alo.ui.studio import Studio

PATH = "/reviews/patients"


@pytest.fixture
def review(home: Path, team: Studio) -> Review:
    """Two hundred records, of which half are in the queue by chance."""
    return make_review(home, team.database, rows=100, random=100, uncertain=10)


@pytest.mark.parametrize("method", ["stratified", "ppi"])
def test_it_is_that_of_the_command_line(
    team: Studio, ada: httpx.Client, review: Review, method: str
) -> None:
    _decide_on_all(ada)

    answer = ada.get(f"{PATH}/accuracy.json?method={method}").json()

    found = accuracy_of(team.reviews, team.reviews.get("patients"), method)
    assert answer == found.to_json()
    assert 0 < answer["low"] < answer["estimate"] <= answer["high"] <= 1
    assert ada.get(f"{PATH}/accuracy?method=odd").status_code == 422


def test_it_follows_each_decision_and_each_change_of_the_labels(ada: httpx.Client) -> None:
    before = ada.get(f"{PATH}/accuracy.json").json()
    _decide_on_all(ada)
    after = ada.get(f"{PATH}/accuracy.json").json()
    ada.post(f"{PATH}/labels", json={"action": "merge", "name": "benign", "into": "malignant"})
    merged = ada.get(f"{PATH}/accuracy.json").json()

    assert before["estimate"] is None
    assert after["estimate"] < merged["estimate"] == 1.0


def test_the_page_says_it_in_words_and_draws_the_strata_with_their_numbers(
    ada: httpx.Client,
) -> None:
    _decide_on_all(ada)

    page = ada.get(f"{PATH}/accuracy").text

    estimate = ada.get(f"{PATH}/accuracy.json").json()
    assert f"{estimate['estimate'] * 100:.1f} %" in page
    assert f"{estimate['low'] * 100:.1f} %" in page
    assert f'data-needed="{estimate["needed"]}"' in page
    for name, count in (*estimate["reviewed"].items(), ("population", estimate["population"])):
        assert re.search(f'data-number="{name}">{count} <small>[a-z]', page), name
    assert page.count("<rect") == 2 * len(estimate["strata"])
    assert "As a table" in page


def test_the_page_leads_to_the_undecided_record_that_decided_ones_wait_for(
    team: Studio, ada: httpx.Client
) -> None:
    items = every_item(team.reviews, team.reviews.get("patients"), queue_only=True)
    first, *others = [each.id for each in items if each.record.source == "random"]
    ada.post(f"{PATH}/bulk", json={"records": others, "verdict": "accept"})

    found = ada.get(f"{PATH}/accuracy.json").json()
    page = ada.get(f"{PATH}/accuracy").text

    assert (found["waiting"], found["waits_for"]) == (len(others), first)
    assert f'data-waiting="{len(others)}"' in page
    assert f"{PATH}/label?record={quote(first)}" in page
    assert "data-needed" not in page  # deciding that one comes first


def test_agreement_is_shown_once_two_have_labelled_the_same(
    home: Path, team: Studio, as_person: As
) -> None:
    make_review(home, team.database, "twice", second_look=1.0, random=8, uncertain=0)
    for name in ("ada", "bob"):
        script = as_person(name)
        body = {"scope": "filter", "filter": {"source": "random"}, "verdict": "accept"}
        script.post("/reviews/twice/bulk", json=body)

    assert 'data-agreement="8"' in script.get("/reviews/twice/accuracy").text
    assert script.get("/reviews/twice.json").json()["agreement"]["share"] == 1.0


def _decide_on_all(client: httpx.Client) -> None:
    """Accept what is queued; six of them are other than the model said."""
    records = client.get(f"{PATH}.json?source=random&predicted=benign").json()["items"][:6]
    wrong = [each["record"] for each in records]
    client.post(f"{PATH}/bulk", json={"records": wrong, "verdict": "change", "label": "malignant"})
    for source in ("random", "uncertain"):
        wanted = {"source": source, "state": "undecided"}
        body = {"scope": "filter", "filter": wanted, "verdict": "accept"}
        assert client.post(f"{PATH}/bulk", json=body).status_code == 200
