"""What two people see differently is settled by a third or an operator, and leaves the list."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.review.conftest import create_review
from tests.ui.screens.reviews.conftest import As

from alo.review.reviews import Reviews
from alo.ui.studio import Studio

PATH, SEND = "/reviews/twice/conflicts", "/reviews/twice/decisions"


@pytest.fixture
def records(team: Studio, ada: httpx.Client, bob: httpx.Client) -> list[str]:
    """Three records that both have labelled: differently, but for the last."""
    review = create_review(team.database, "twice", random=3, second_look=1.0)
    found = [each.id for each in Reviews(team.database).items(review, queue_only=True)]
    for who, labels in ((ada, ("good", "good", "good")), (bob, ("bad", "bad", "good"))):
        sent = [
            {"key": f"c{at}", "record": record, "verdict": "change", "label": label, "note": "<b>"}
            for at, (record, label) in enumerate(zip(found, labels, strict=True))
        ]
        assert who.post(SEND, json={"decisions": sent}).is_success
    return found


def shown(who: httpx.Client, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = who.get(f"{PATH}.json{query}").json()
    return found


def test_both_answers_are_side_by_side_with_who_and_why(as_person: As, records: list[str]) -> None:
    third = as_person("cy")
    found = shown(third)

    assert [each["record"] for each in found["items"]] == records[:2]
    assert found["total"] == 2
    answers = found["items"][0]["answers"]
    assert [(each["label"], each["by"], each["note"]) for each in answers] == [
        ("good", "ada", "<b>"),
        ("bad", "bob", "<b>"),
    ]
    text = third.get(PATH).text
    assert text.count('data-action="settle"') == 4
    assert all(f'data-trace="{each}"' in text for each in records[:2])
    assert "&lt;b&gt;" in text


def test_who_gave_an_answer_sees_it_and_does_not_settle_it_but_an_operator_may(
    ada: httpx.Client, as_person: As, records: list[str]
) -> None:
    assert 'data-action="settle"' not in ada.get(PATH).text
    assert [each["may_settle"] for each in shown(ada)["items"]] == [False, False]
    sent = {"key": "s", "record": records[0], "verdict": "change", "label": "bad"}
    (result,) = ada.post(SEND, json={"decisions": [sent]}).json()["results"]
    assert result["state"] == "refused"

    operator = as_person("olga")
    assert [each["may_settle"] for each in shown(operator)["items"]] == [True, True]


def test_what_is_settled_leaves_the_list_and_keeps_its_label(
    ada: httpx.Client, as_person: As, records: list[str]
) -> None:
    third = as_person("cy")
    item = shown(third)["items"][0]
    sent = {"key": "s", "record": records[0], "verdict": "change", "label": "bad"}

    answer = third.post(SEND, json={"decisions": [{**sent, "seen": item["seen"]}]})

    assert answer.json()["results"][0]["state"] == "saved"
    assert [each["record"] for each in shown(third)["items"]] == records[1:2]
    items = ada.get("/reviews/twice/items.json").json()["items"]
    assert items[0]["label"] == "bad"


def test_it_comes_page_by_page(as_person: As, records: list[str]) -> None:
    third = as_person("cy")
    first = shown(third, "?limit=1")
    second = third.get(first["next"].replace("/conflicts?", "/conflicts.json?")).json()

    assert [each["record"] for each in (*first["items"], *second["items"])] == records[:2]
    assert second["next"] is None


def test_a_closed_review_has_no_buttons_and_no_conflicts_say_so(
    team: Studio, as_person: As, records: list[str]
) -> None:
    third = as_person("cy")
    Reviews(team.database).set_state("twice", "closed")
    assert 'data-action="settle"' not in third.get(PATH).text

    create_review(team.database, "alike")
    assert "No conflicts." in third.get("/reviews/alike/conflicts").text
