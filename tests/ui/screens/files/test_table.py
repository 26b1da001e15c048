"""The screen of a table: pages by links, and the same as data."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

Put = Callable[[str, str | bytes], str]


@pytest.fixture
def put(home: Path, runs: dict[str, str]) -> Put:
    """``put(name, content)``: a file of a run; returns the path of its page."""

    def put_it(name: str, content: str | bytes) -> str:
        folder = home / "history/inference" / runs["inference"] / "output"
        whole = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(whole)
        return f"/runs/{runs['inference']}/files/output/{name}"

    return put_it


def test_pages_lead_to_the_end_and_back(client: httpx.Client, put: Put) -> None:
    page = put("t.csv", "n,m\n" + "".join(f"{n},{n * n}\n" for n in range(1234)))

    found, url = [], f"{page}?format=json&limit=100"
    while url:
        content = client.get(url).json()
        found += content["items"]
        url = content["next"]

    assert content.keys() >= {"columns", "items", "next", "total", "encoding", "notes"}
    assert found == [[str(n), str(n * n)] for n in range(1234)]
    assert (content["columns"], content["total"]) == (["n", "m"], 1234)
    html = client.get(page).text
    assert 'data-screen="table"' in html
    last = re.search(r'href="([^"]+)" rel="last"', html)
    assert last is not None
    end = client.get(last[1].replace("&amp;", "&")).text
    assert ">1233<" in end
    assert 'rel="next"' not in end
    earlier = re.search(r'href="([^"]+)" rel="prev"', end)
    assert earlier is not None
    assert ">1199<" in client.get(earlier[1].replace("&amp;", "&")).text


def test_as_csv_it_is_whole(client: httpx.Client, put: Put) -> None:
    page = put("t.csv", 'n,m\n1,"a,b"\n2,c\n')

    assert client.get(f"{page}?format=csv").text == 'n,m\r\n1,"a,b"\r\n2,c\r\n'


def test_columns_are_searched_and_shown_some_at_a_time(client: httpx.Client, put: Put) -> None:
    names = [f"column{n}" for n in range(5000)]
    page = put("wide.csv", "\n".join([",".join(names)] * 3))

    content = client.get(f"{page}?format=json&columns=column499").json()

    assert content["columns"] == ["column499", *names[4990:]]
    assert content["items"][0] == content["columns"]
    html = client.get(page).text
    assert 'data-action="later-columns"' in html
    assert len(html) < 100_000
    assert ">column4999<" in client.get(f"{page}?column=4900").text


def test_cells_are_never_markup_and_odd_values_are_refused(client: httpx.Client, put: Put) -> None:
    page = put("t.csv", "<script>alert(1)</script>,b\n<img src=x>,2\n")

    assert "<script>alert" not in client.get(page).text
    assert "<img src=x>" not in client.get(page).text
    for query in ("page=x", "limit=501", "page=r1-x", "nokey=1"):
        assert client.get(f"{page}?{query}").status_code == 422
    assert client.get(f"{page}?page=r99999999-99999999&format=json").json()["items"] == []


def test_for_a_spreadsheet_no_cell_is_a_formula(client: httpx.Client, put: Put) -> None:
    page = put("t.csv", "=n,m\n=1+1,-2\n@x,+3\n1,'a\n")

    for url in (page.replace("/files/", "/raw/") + "?for=spreadsheet",
                f"{page}?format=csv&for=spreadsheet"):  # fmt: skip
        answer = client.get(url)
        assert answer.content.decode("utf-8-sig") == "'=n,m\r\n'=1+1,'-2\r\n'@x,'+3\r\n1,'a\r\n"
        assert answer.headers["content-disposition"].startswith("attachment")
    assert client.get(f"{page}?format=csv&for=else").status_code == 422


def test_it_is_sorted_and_filtered_by_its_url(client: httpx.Client, put: Put) -> None:
    page = put("t.csv", "n,a=b\n" + "".join(f"{n},{n % 3}\n" for n in range(120)))

    first = client.get(f"{page}?format=json&sort=-n&filter=a%3Db=1").json()
    last = client.get(f"{page}?format=json&sort=-n&filter=a%3Db=1&limit=30&page=last").json()

    assert [row[0] for row in first["items"][:3]] == ["118", "115", "112"]
    assert (first["total"], first["next"]) == (40, None)
    assert [row[0] for row in last["items"]][-1] == "1"
    assert len(last["items"]) == 10
    counted = client.get(f"{page}?format=json&values=a%3Db").json()["values"]
    assert counted == [{"value": str(n), "count": 40} for n in range(3)]
    text = client.get(f"{page}?format=csv&sort=-n&filter=a%3Db=1").text
    assert text.startswith("n,a=b\r\n118,1\r\n115,1\r\n")
    html = client.get(f"{page}?sort=n&filter=n=7&values=n").text
    assert 'aria-sort="ascending"' in html
    assert 'data-action="remove-filter"' in html
    for query in ("sort=x", "filter=x", "filter=x=1", "values=x"):
        assert client.get(f"{page}?{query}").status_code == 422
