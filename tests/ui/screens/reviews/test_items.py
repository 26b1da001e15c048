"""The records of a review, as scripts read them."""

from __future__ import annotations

import httpx
import pytest
from tests.review.conftest import create_review
from tests.ui.screens.reviews.conftest import As

from alo.ui.studio import Studio

ITEMS = "/reviews/patients/items.json"
FIELDS = {
    *("record", "content", "run", "predicted", "certainty", "probabilities", "label", "state"),
    *("source", "stratum", "weight", "seen", "by", "at"),
}


def test_all_records_come_the_queue_first_in_its_order(ada: httpx.Client) -> None:
    answer = ada.get(ITEMS).json()

    assert answer["total"] == 10
    assert answer["next"] is None
    sources = [each["source"] for each in answer["items"]]
    assert sources == ["random"] * 4 + [None] * 6
    others = [each["record"] for each in answer["items"][4:]]
    assert others == sorted(others)
    assert set(answer["items"][0]) >= FIELDS


def test_a_record_that_nobody_decided_says_so_with_null(ada: httpx.Client) -> None:
    item = ada.get(ITEMS).json()["items"][0]

    assert (item["state"], item["label"], item["seen"]) == ("undecided", None, None)
    assert (item["by"], item["at"]) == (None, None)


@pytest.mark.parametrize("limit", [1, 3, 5, 10])
def test_pages_have_every_record_once(ada: httpx.Client, limit: int) -> None:
    whole = [each["record"] for each in ada.get(ITEMS).json()["items"]]

    found: list[str] = []
    url = f"{ITEMS}?limit={limit}"
    while url:
        answer = ada.get(url).json()
        assert 0 < len(answer["items"]) <= limit
        found += [each["record"] for each in answer["items"]]
        url = answer["next"]

    assert found == whole


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "page=x", "page=-1", "stat=flagged"])
def test_what_no_page_can_be_asked_for_is_refused(ada: httpx.Client, query: str) -> None:
    assert ada.get(f"{ITEMS}?{query}").status_code == 422


def test_a_review_that_is_not_there_is_not_found(ada: httpx.Client) -> None:
    assert ada.get("/reviews/nobodys/items.json").status_code == 404


def test_who_looks_second_sees_nothing_of_the_first_and_a_conflict_is_seen_by_all(
    team: Studio, ada: httpx.Client, bob: httpx.Client, as_person: As
) -> None:
    create_review(team.database, "twice", random=4, second_look=1.0)
    url = "/reviews/twice/items.json?limit=1"
    item = ada.get(url).json()["items"][0]
    decide = {"key": "1", "record": item["record"], "verdict": "change"}
    path = "/reviews/twice/decisions"
    ada.post(path, json={"decisions": [{**decide, "label": "good"}]})

    mine, theirs = ada.get(url).json()["items"][0], bob.get(url).json()["items"][0]
    assert (mine["state"], mine["label"]) == ("changed", "good")
    assert (theirs["state"], theirs["label"], theirs["seen"]) == ("undecided", None, None)
    assert theirs["by"] is None

    bob.post(path, json={"decisions": [{**decide, "label": "bad"}]})
    for who in (ada, bob, as_person("olga")):
        assert who.get(url).json()["items"][0]["state"] == "conflict"
