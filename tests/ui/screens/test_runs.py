"""The list of runs: its fields, pages, filters, and all of it as CSV."""

from __future__ import annotations

import csv
import html
import re
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


def fields_of(page: str) -> list[list[str]]:
    """The runs that each form of a page sends."""
    forms = re.findall(r"<form.*?</form>", page, re.DOTALL)
    return [re.findall(r'<input type="hidden" name="run" value="([^"]*)"', each) for each in forms]


def test_what_is_selected_stays_so_through_all_that_leads_to_another_page(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    ids = [runs["train"], runs["inference"], "elsewhere"]
    chosen = "&".join(f"run={each}" for each in ids)

    page = client.get(f"/runs?limit=1&{chosen}").text

    links = [html.unescape(each) for each in re.findall(r'href="(/runs[?][^"]*)"', page)]
    assert [link for link in links if chosen not in link] == ["/runs?limit=1"]  # which selects none
    assert [each for each in fields_of(page) if each] == [ids, ids, [runs["train"], "elsewhere"]]
    assert re.findall(r'name="run" value="([^"]*)" checked', page) == [runs["inference"]]
    assert 'data-selected="3"' in page
    none = client.get(f"/runs?q=nothing+has+this&{chosen}").text
    assert 'data-selected="3"' in none
    assert [each for each in fields_of(none) if each] == [ids, ids, ids]


def test_the_language_is_changed_where_one_is(client: httpx.Client, runs: dict[str, str]) -> None:
    page = client.get("/runs?q=test&sort=score&limit=1").text
    link = html.unescape(re.findall(r'href="([^"]*)" lang="ko"', page)[0])

    assert link == "/runs?q=test&sort=score&limit=1&lang=ko"
    following = html.unescape(re.findall(r'href="([^"]*)" rel="next"', page)[0])
    second = client.get(following).text
    korean = client.get(html.unescape(re.findall(r'href="([^"]*)" lang="ko"', second)[0])).text
    assert '<html lang="ko">' in korean
    assert re.findall(r'<tr data-run="[^"]*"', korean) == re.findall(
        r'<tr data-run="[^"]*"', second
    )


def test_more_runs_than_can_be_compared_are_said_where_they_are_selected(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    most = "&".join(f"run={each}" for each in range(20))

    assert 'data-most="20" hidden' in client.get(f"/runs?{most}").text
    assert 'data-most="20">' in client.get(f"/runs?{most}&run=more").text


def test_a_form_without_scripts_keeps_what_is_ticked(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    page = client.get("/runs?limit=1&sort=-score").text
    following = html.unescape(re.findall(r'href="([^"]*)" rel="next"', page)[0])
    second = client.get(following).text
    state = html.unescape(re.findall(r'name="keep" value="([^"]*)"', second)[0])
    ticked = re.findall(r'type="checkbox" name="run" value="([^"]*)"', second)

    kept = client.get("/runs", params={"run": ticked, "keep": state})

    assert kept.status_code == 303
    again = client.get(kept.headers["location"]).text
    assert re.findall(r'name="run" value="([^"]*)" checked', again) == ticked
    assert client.get("/runs", params={"keep": "nokey=1"}).headers["location"] == "/runs?nokey=1"
