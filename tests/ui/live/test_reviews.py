"""What happens in a review, live: every decision once, also to who was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.review.conftest import create_review

from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews
from alo.ui.live.reviews import newest_decision
from alo.ui.studio import Studio

STREAM = "/events?run=review:patients"


def say(studio: Studio, person: str, record: str, label: str = "good") -> None:
    sent = NewDecision(
        key=f"{person} {record} {label}", record=record, verdict="change", label=label
    )
    decide(studio.database, "patients", [sent], person=person, time="now")


def messages(client: httpx.Client, path: str, **headers: str) -> Iterator[dict[str, Any]]:
    """Each with its event and its id."""
    with client.stream("GET", path, headers=headers) as answer:
        found: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, text = line.partition(": ")
            if name in ("id", "event"):
                found[name] = text
            elif name == "data":
                found["data"] = json.loads(text)
            elif not line and found:
                yield found
                found = {}


def decisions(client: httpx.Client, path: str, count: int, **headers: str) -> list[dict[str, Any]]:
    """The first decisions of a stream."""
    found: list[dict[str, Any]] = []
    for each in messages(client, path, **headers):
        if each["event"] == "decision":
            found.append(each)
        if len(found) == count:
            break
    return found


def test_decisions_come_from_the_first_and_go_on_behind_the_last_that_came(
    studio: Studio, client: httpx.Client
) -> None:
    create_review(studio.database)
    for row in range(4):
        say(studio, "ada", f"run-a:{row}", "good" if row % 2 else "bad")

    reported = decisions(client, STREAM, 4)
    later = decisions(client, STREAM, 2, **{"Last-Event-ID": reported[1]["id"]})

    assert [each["data"]["record"] for each in reported] == [f"run-a:{row}" for row in range(4)]
    assert reported[1]["data"]["label"] == "good"
    assert reported[1]["data"]["by"] == "ada"
    assert [each["id"] for each in later] == [each["id"] for each in reported[2:]]
    assert newest_decision(studio.database, Reviews(studio.database).get("patients")) == int(
        reported[3]["id"]
    )


def test_what_is_decided_while_one_listens_comes_with_how_far_the_review_is(
    studio: Studio, client: httpx.Client
) -> None:
    create_review(studio.database)
    stream = messages(client, STREAM)
    first = next(stream)
    assert first["event"] == "review"
    assert first["data"]["progress"] == {"decided": 0, "total": 4}
    assert [each["name"] for each in first["data"]["labels"]] == ["good", "bad"]
    item = Reviews(studio.database).items(Reviews(studio.database).get("patients"))[0]

    say(studio, "ada", item.id)

    assert next(stream)["data"]["record"] == item.id
    assert next(stream)["data"]["progress"] == {"decided": 1, "total": 4}


def test_where_people_are_and_what_labels_are_called_is_told(
    studio: Studio, client: httpx.Client
) -> None:
    review = create_review(studio.database)
    stream = messages(client, STREAM)
    next(stream)

    studio.presence.report(review.number, "ada", "run-a:1")
    assert next(stream)["data"]["present"] == [{"name": "ada", "record": "run-a:1"}]
    Reviews(studio.database).change_labels("patients", lambda each: each.rename("good", "fine"))
    assert next(stream)["data"]["labels"][0]["name"] == "fine"


def test_who_looks_second_is_not_told_what_the_first_said(
    studio: Studio, client: httpx.Client
) -> None:
    review = create_review(studio.database, second_look=1.0)
    record = Reviews(studio.database).items(review)[0].id
    say(studio, "ada", record)

    (reported,) = decisions(client, STREAM, 1)

    assert reported["data"]["state"] == "undecided"
    assert (reported["data"]["label"], reported["data"]["by"]) == (None, None)


def test_a_review_that_is_not_there_has_no_stream_and_one_that_is_removed_ends_it(
    studio: Studio, client: httpx.Client
) -> None:
    assert client.get("/events?run=review:nobodys").status_code == 404
    create_review(studio.database)
    stream = messages(client, STREAM)
    next(stream)

    Reviews(studio.database).remove("patients")

    assert [each["event"] for each in stream] == ["over"]


@pytest.mark.parametrize("after", ["x", "-1"])
def test_what_is_no_sequence_is_refused(studio: Studio, client: httpx.Client, after: str) -> None:
    create_review(studio.database)

    assert client.get(f"{STREAM}&after={after}").status_code == 422
