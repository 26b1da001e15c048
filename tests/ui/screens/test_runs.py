"""The list of runs: its fields, pages, filters, and all of it as CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import httpx

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_runs_have_the_fields_of_the_command_line(
    client: httpx.Client, runs: dict[str, str], alo: Any, home: Path
) -> None:
    import json

    listed = json.loads(alo("history", "--json", cwd=home).stdout)

    assert client.get("/runs.json").json() == {"items": listed, "next": None, "total": 2}


def test_pages_of_runs_follow_each_other(client: httpx.Client, runs: dict[str, str]) -> None:
    first = client.get("/runs.json?limit=1").json()
    second = client.get(f"{first['next'].replace('/runs?', '/runs.json?')}").json()

    assert [*first["items"], *second["items"]] == client.get("/runs.json").json()["items"]
    assert second["next"] is None


def test_the_csv_is_the_whole_filtered_list(client: httpx.Client, runs: dict[str, str]) -> None:
    answer = client.get("/runs.csv?limit=1&columns=score,args.train.x")

    rows = list(csv.reader(answer.text.splitlines()))
    assert rows[0] == ["id", "score", "args.train.x"]
    assert {tuple(row) for row in rows[1:]} == {
        (runs["train"], "0.5", "5"),
        (runs["inference"], "0.1", ""),
    }


def test_an_active_filter_is_shown_with_what_removes_it(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    page = client.get("/runs?status=error&q=x").text

    assert 'href="/runs?q=x" data-action="remove-filter"' in page
    assert "No run meets these filters" in page
