"""The feed has the inferences."""

from __future__ import annotations

import httpx

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_the_feed_has_the_inferences(client: httpx.Client, runs: dict[str, str]) -> None:
    assert [each["id"] for each in client.get("/feed.json").json()["items"]] == [runs["inference"]]
