"""Server-sent events: those of a run, from any of them on, without a gap."""

from __future__ import annotations

import json
from typing import Any

import httpx


def messages(client: httpx.Client, path: str, **headers: str) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        number = -1
        for line in answer.iter_lines():
            if line.startswith("id: "):
                number = int(line.removeprefix("id: "))
            elif line.startswith("data: ") and number >= 0:
                found.append((number, json.loads(line.removeprefix("data: "))))
    return found


def test_a_run_that_has_ended_is_told_from_its_first_event_to_its_last(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    told = messages(client, f"/events?run={runs['train']}")

    assert [number for number, _ in told] == list(range(len(told)))
    assert [envelope["sequence"] for _, envelope in told] == list(range(len(told)))
    assert told[-1][1]["event"] == "run_finished"


def test_who_was_cut_off_goes_on_behind_the_last_event_that_came(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    path = f"/events?run={runs['train']}"
    told = messages(client, path)

    assert messages(client, path, **{"Last-Event-ID": "2"}) == told[3:]


def test_a_place_that_is_none_is_refused(client: httpx.Client, runs: dict[str, str]) -> None:
    path = f"/events?run={runs['train']}"

    assert client.get(path, headers={"Last-Event-ID": "x"}).status_code == 422
