"""Decisions over HTTP: each is judged alone, stored once, and nobody's is lost or overwritten."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from tests.ui.screens.reviews.conftest import PASSWORD, As

from alo.review.labels import Labels
from alo.review.reviews import Reviews
from alo.ui.studio import Studio

PATH, UNDO = "/reviews/patients/decisions", "/reviews/patients/undo"
ITEMS = "/reviews/patients/items.json"


def new(record: str = "run-a:0", label: str | None = "good", **more: object) -> dict[str, object]:
    verdict = "accept" if label is None else "change"
    return {"key": record, "record": record, "verdict": verdict, "label": label, **more}


def send(who: httpx.Client, *sent: object, **more: object) -> list[dict[str, Any]]:
    answer = who.post(PATH, json={"decisions": sent, **more})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def item(who: httpx.Client, record: str = "run-a:0") -> dict[str, Any]:
    found = who.get(f"{ITEMS}?limit=1000").json()["items"]
    return next(each for each in found if each["record"] == record)


def states(results: Sequence[dict[str, Any]]) -> list[str]:
    return [each["state"] for each in results]


def test_each_is_answered_in_its_place_and_seen_from_then_on(ada: httpx.Client) -> None:
    results = send(ada, new(), new("run-b:4", None), new("run-z:0"))

    assert [each["record"] for each in results] == ["run-a:0", "run-b:4", "run-z:0"]
    assert states(results) == ["saved", "saved", "refused"]
    assert results[0] | {"seen": 0} == {
        "key": "run-a:0",
        "record": "run-a:0",
        "state": "saved",
        "why": "",
        "theirs": None,
        "seen": 0,
    }
    found = item(ada)
    assert (found["label"], found["state"], found["by"]) == ("good", "changed", "ada")
    assert found["seen"] == results[0]["seen"]


def test_a_double_click_and_fifty_sends_are_one_decision(ada: httpx.Client) -> None:
    first = send(ada, new())
    again = [send(ada, new())[0] for _ in range(49)]

    assert states(first) == ["saved"]
    assert set(states(again)) == {"unchanged"}
    assert {each["seen"] for each in again} == {first[0]["seen"]}


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (7, "object"),
        (None, "object"),
        ([], "object"),
        ({}, "key is missing"),
        ({"key": "a", "record": "run-a:1"}, "verdict is missing"),
        ({"key": 1, "record": "run-a:1", "verdict": "accept"}, "key has to be a text"),
        (new(key=""), "needs a key"),
        (new(key="half \ud83d"), "needs a key"),
        (new(note="half \ud83d"), "the note is no text"),
        (new("run-a:1\x00"), "no such record"),
        (new(seen="1"), "seen has to be a whole number"),
        (new(seen=True), "seen has to be a whole number"),
        (new(replace=1), "replace has to be true or false"),
        (new(label="worse"), "no label is called"),
        (new(verdict="approve"), "none of accept"),
        (new(lable="good"), "no field"),
        (new(note="x" * 2001), "2,000 characters"),
    ],
)
def test_a_malformed_one_is_refused_alone(ada: httpx.Client, entry: object, why: str) -> None:
    body = json.dumps({"decisions": [new("run-a:2"), entry, new("run-a:3")]})
    answer = ada.post(PATH, content=body, headers={"Content-Type": "application/json"})
    results = answer.json()["results"]

    assert states(results) == ["saved", "refused", "saved"]
    assert why in results[1]["why"]


def test_ten_thousand_are_taken_and_one_more_is_too_many(ada: httpx.Client) -> None:
    many = [new(f"run-a:{n % 5}", key=f"key number {n:030}", note="n" * 60) for n in range(10_000)]

    answer = ada.post(PATH, json={"decisions": many})
    assert len(answer.request.content) > 1_000_000
    assert answer.status_code == 200
    assert len(answer.json()["results"]) == 10_000
    assert ada.post(PATH, json={"decisions": [*many, new()]}).status_code == 413


def test_who_may_not_decide_sends_no_more_than_a_refusal_takes(
    ada: httpx.Client, as_person: As
) -> None:
    viewer = as_person("vic")
    large = {"decisions": [new(note="n" * 1_000_000)]}

    assert viewer.post(PATH, json={"decisions": [new()]}).status_code == 403
    assert viewer.post(PATH, json=large).status_code == 413
    assert viewer.post(UNDO, json={}).status_code == 403
    assert states(send(ada, *large["decisions"])) == ["refused"]
    assert item(ada)["state"] == "undecided"


@pytest.mark.parametrize("body", [{}, {"decisions": {}}, {"decisions": "x"}, {"decisions": None}])
def test_what_has_no_list_is_refused(ada: httpx.Client, body: dict[str, object]) -> None:
    answer = ada.post(PATH, json=body)

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "decisions"


def test_two_people_within_a_moment_are_one_saved_and_one_conflict(
    ada: httpx.Client, bob: httpx.Client
) -> None:
    ready, found = threading.Barrier(2), []

    def say(who: httpx.Client, label: str) -> None:
        ready.wait()
        found.extend(send(who, new(label=label)))

    threads = [threading.Thread(target=say, args=each) for each in ((ada, "good"), (bob, "bad"))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(states(found)) == ["conflict", "saved"]
    (refused,) = (each for each in found if each["state"] == "conflict")
    assert refused["theirs"]["label"] == item(ada)["label"]
    assert refused["theirs"]["by"] == item(ada)["by"]


def test_a_conflict_is_settled_by_who_replaces(ada: httpx.Client, bob: httpx.Client) -> None:
    send(ada, new(label="good", note="sure"))

    (conflict,) = send(bob, new(label="bad"))
    assert conflict["state"] == "conflict"
    assert conflict["theirs"] | {"at": ""} == {
        "verdict": "change",
        "label": "good",
        "note": "sure",
        "by": "ada",
        "at": "",
        "seen": item(ada)["seen"],
    }
    assert item(bob)["label"] == "good"

    assert states(send(bob, new(label="bad", replace=True))) == ["saved"]
    assert (item(ada)["label"], item(ada)["by"]) == ("bad", "bob")


def test_a_label_renamed_or_merged_meanwhile_is_the_one_that_was_meant(
    team: Studio, ada: httpx.Client
) -> None:
    reviews = Reviews(team.database)
    reviews.change_labels("patients", lambda labels: labels.rename("good", "fine"))
    send(ada, new(label="good"))
    assert item(ada)["label"] == "fine"

    def more(labels: Labels) -> Labels:
        return labels.add("odd").merge("odd", "bad")

    reviews.change_labels("patients", more)
    send(ada, new("run-a:1", label="odd"))
    assert item(ada, "run-a:1")["label"] == "bad"


def test_a_closed_review_takes_nothing(team: Studio, ada: httpx.Client) -> None:
    Reviews(team.database).set_state("patients", "closed")

    for path, body in ((PATH, {"decisions": [new()]}), (UNDO, {})):
        answer = ada.post(path, json=body)
        assert answer.status_code == 409
        assert "closed" in answer.json()["error"]["what"]


def test_what_another_has_decided_is_not_stored_as_ones_own(bob: httpx.Client) -> None:
    for path, body in ((PATH, {"decisions": [new()]}), (UNDO, {})):
        answer = bob.post(path, json={**body, "by": "ada"})
        assert answer.status_code == 409
        assert answer.json()["error"]["fix"] == "sign in as ada"
    assert item(bob)["state"] == "undecided"


def test_undo_takes_back_the_last_action_and_redo_brings_it_again(ada: httpx.Client) -> None:
    send(ada, new("run-a:1"))
    send(ada, new("run-a:2"), new("run-a:3"))

    taken = ada.post(UNDO, json={}).json()["results"]
    assert {each["record"] for each in taken} == {"run-a:2", "run-a:3"}
    assert item(ada, "run-a:3")["state"] == "undecided"
    assert item(ada, "run-a:1")["state"] == "changed"

    ada.post(UNDO, json={"redo": True})
    assert item(ada, "run-a:3")["state"] == "changed"


def test_decisions_of_one_request_are_taken_back_action_by_action(ada: httpx.Client) -> None:
    send(
        ada,
        new("run-a:1", action="one"),
        new("run-a:2", action="two"),
        new("run-a:3", action="two"),
    )

    ada.post(UNDO, json={})

    found = [item(ada, f"run-a:{n}")["state"] for n in (1, 2, 3)]
    assert found == ["changed", "undecided", "undecided"]


def test_an_undo_that_is_sent_again_takes_back_nothing_more(ada: httpx.Client) -> None:
    send(ada, new("run-a:1"))
    send(ada, new("run-a:2"))

    first = ada.post(UNDO, json={"key": "u1"}).json()["results"]
    again = ada.post(UNDO, json={"key": "u1"}).json()["results"]

    assert ([each["record"] for each in first], again) == (["run-a:2"], [])
    assert item(ada, "run-a:1")["state"] == "changed"


def test_what_another_changed_since_is_not_taken_back(ada: httpx.Client, bob: httpx.Client) -> None:
    send(ada, new(label="good"))
    send(bob, new(label="bad", seen=item(bob)["seen"]))

    (result,) = ada.post(UNDO, json={}).json()["results"]

    assert result["state"] == "refused"
    assert result["theirs"]["by"] == "bob"
    assert item(ada)["label"] == "bad"


def test_nothing_to_take_back_is_no_error(ada: httpx.Client) -> None:
    assert ada.post(UNDO, json={}).json() == {"results": []}
    assert ada.post(UNDO, json={"redo": "maybe"}).status_code == 422


def test_a_bulk_action_is_one_line_of_the_audit_and_a_single_one_none(
    team: Studio, ada: httpx.Client
) -> None:
    send(ada, new("run-a:1"))
    send(ada, new("run-a:2"), new("run-a:3"))
    ada.post(UNDO, json={})

    changes = [(each.act, each.target, each.after) for each in team.audit.changes()]
    assert changes == [
        ("undo", "patients", {"decisions": 2}),
        ("decide", "patients", {"decisions": 2}),
    ]


def test_a_page_without_scripts_sends_a_form_and_comes_to_the_next_record(
    ada: httpx.Client, server: httpx.Client
) -> None:
    origin = {"Origin": "http://127.0.0.1:8811"}
    server.post("/sign-in", data={"name": "bob", "password": PASSWORD}, headers=origin)
    form = {"key": "k", "record": "run-a:0", "label": "good", "seen": "", "note": "n"}

    answer = server.post(PATH, data=form, headers=origin)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reviews/patients/label?after=run-a%3A0"
    assert (item(ada)["label"], item(ada)["note"], item(ada)["by"]) == ("good", "n", "bob")

    form |= {"key": "k2", "label": "bad"}
    answer = server.post(PATH, data=form, headers=origin)
    assert answer.status_code == 409
    assert "bob has decided otherwise" in answer.text
    form |= {"key": "k3", "label": "", "verdict": "approve"}
    assert server.post(PATH, data=form, headers=origin).status_code == 422
    assert item(ada)["label"] == "good"
