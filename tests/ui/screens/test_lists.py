"""What all lists share: each is there as a table, which its page links."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path
from typing import Any

import httpx

from alo.ui.routing.routes import ROUTES

OWN = {"Origin": "http://127.0.0.1:8811"}


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))


def lists(client: httpx.Client, run: str) -> dict[str, Any]:
    """The pages of the studio that are lists, with what they have as JSON."""
    paths = [route.path.replace("{id}", run) for route in ROUTES if route.method == "GET"]
    plain = [path for path in paths if "{" not in path and path not in ("/", "/events")]
    found = {path: client.get(f"{path}.json").json() for path in plain}
    return {path: each for path, each in found.items() if {"items", "total"} <= each.keys()}


def test_each_list_is_a_table_that_its_page_links(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    body = {"pipeline": "train", "args": {"train": {"x": 7}}}
    assert client.post("/runs", json=body, headers=OWN).status_code == 202
    user = {"name": "ada", "role": "viewer", "password": "long enough"}
    assert client.post("/users", json=user, headers=OWN).status_code == 201
    found = lists(client, runs["train"])
    assert {"/runs", "/feed", "/models", "/jobs", "/audit", "/users"} <= found.keys()
    assert f"/runs/{runs['train']}/files" in found

    for path, content in found.items():
        if not content["total"]:
            continue
        page = client.get(path).text
        links = [html.unescape(each) for each in re.findall(r'href="([^"]*)" data-action=', page)]
        whole, disarmed = f"{path}.csv", f"{path}.csv?for=spreadsheet"
        assert {whole, disarmed} <= set(links), path
        assert len(rows_of(client.get(whole))) == content["total"]
        assert client.get(disarmed).content.startswith(b"\xef\xbb\xbf")


def test_each_list_has_pages_of_as_many_rows_as_one_asks_for(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    for name in ("ada", "bob", "cyd"):
        user = {"name": name, "role": "viewer", "password": "long enough"}
        assert client.post("/users", json=user, headers=OWN).status_code == 201

    for path, content in lists(client, runs["train"]).items():
        found: list[Any] = []
        url = f"{path}?limit=1"
        while url and len(found) < 9:
            page = client.get(url.replace(path, f"{path}.json", 1)).json()
            found += page["items"]
            url = page["next"]
        assert found == content["items"][:9], path
        for wrong in ("0", "501", "x"):
            assert client.get(f"{path}.json?limit={wrong}").status_code == 422, path
    assert client.get("/users.json?page=eve").status_code == 422


def test_the_table_of_a_list_has_its_filters_and_no_formula(
    client: httpx.Client, runs: dict[str, str], home: Path
) -> None:
    folder = home / "history/train" / runs["train"] / "output" / "of a sheet"
    folder.mkdir(parents=True)
    for name in ("=1+1.txt", "@x.txt", "plain.txt"):
        (folder / name).write_text("x")
    path = f"/runs/{runs['train']}/files"

    page = client.get(f"{path}?folder=output/of+a+sheet&limit=1").text
    link = html.unescape(re.findall(r'href="([^"]*)" data-action="spreadsheet"', page)[0])

    assert link == f"{path}.csv?folder=output%2Fof+a+sheet&for=spreadsheet"
    rows = rows_of(client.get(link))
    assert [each["name"] for each in rows] == ["'=1+1.txt", "'@x.txt", "plain.txt"]
    assert [each["type"] for each in rows] == ["text"] * 3
    searched = rows_of(client.get(f"{path}.csv?q=plain"))
    assert [each["path"] for each in searched] == ["output/of a sheet/plain.txt"]
