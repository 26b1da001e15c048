"""What differs between runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_two_runs_are_compared_by_what_differs(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    (one,) = run(home, mode="train")
    (two,) = run(home, mode="train", overrides=("train.x=6",))

    content = client.get(f"/compare.json?run={one.run_id}&run={two.run_id}").json()

    assert content["args"] == [{"key": "train.x", "values": [5, 6]}]
    assert {row["key"] for row in content["summary"]} == {"score"}
    assert any(line.startswith("+") for line in content["plan"])
    everything = client.get(f"/compare.json?run={one.run_id}&run={two.run_id}&all=1").json()
    assert {"key": "train.kind", "values": ["a", "a"]} in everything["args"]
    page = client.get(f"/compare?run={one.run_id}&run={two.run_id}&all=1").text
    (row,) = everything["memory"]
    assert row["key"] == "train"
    assert all(value > 1_000_000 for value in row["values"])
    assert len(re.findall(" [MG]B</td>", page)) == 2


def test_a_run_with_itself_or_too_many_are_refused(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    one = runs["train"]

    for path in (f"run={one}", f"run={one}&run={one}", "&".join([f"run={one}"] * 21)):
        assert client.get(f"/compare.json?{path}").status_code == 422


def test_outputs_are_compared_cell_by_cell_and_picture_by_picture(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    ids = [run(home, mode="train")[0].run_id for _ in range(2)]
    for at, each in enumerate(ids):
        folder = home / "history/train" / each / "output"
        folder.mkdir(exist_ok=True)
        rows = ["a,1\n", f"b,{at}\n"]
        (folder / "p.csv").write_text("id,p\n" + "".join(rows if at else reversed(rows)))
        (folder / "same.png").write_bytes(b"same")
        (folder / "other.png").write_bytes(bytes([at]))
    path = "?" + "&".join(f"run={each}" for each in ids)

    content = client.get(f"/compare.json{path}&key=id").json()

    (table,) = content["tables"]
    assert table["items"] == [{"key": "b", "column": "p", "values": ["0", "1"]}]
    assert content["images"] == ["output/other.png"]
    page = client.get(f"/compare{path}&key=id").text
    assert page.count("other.png?thumb=256") == 2
    assert client.get(f"/compare.json{path}&key=nope").status_code == 422


def test_cells_that_differ_are_turned_page_by_page(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    ids = [run(home, mode="train")[0].run_id for _ in range(2)]
    for at, each in enumerate(ids):
        folder = home / "history/train" / each / "output"
        folder.mkdir(exist_ok=True)
        for name in ("p.csv", "q.csv"):
            (folder / name).write_text("p\n" + "".join(f"{n}-{at}\n" for n in range(450)))
    path = "/compare?" + "&".join(f"run={each}" for each in ids)

    def tables(url: str) -> dict[str, Any]:
        content = client.get(url.replace("/compare?", "/compare.json?")).json()
        return {each["path"]: each for each in content["tables"]}

    pages = [tables(path)["output/q.csv"]]
    while pages[-1]["next"]:
        pages.append(tables(pages[-1]["next"])["output/q.csv"])

    assert [len(each["items"]) for each in pages] == [200, 200, 50]
    assert [cell["key"] for each in pages for cell in each["items"]] == [
        str(n) for n in range(1, 451)
    ]
    second = client.get(pages[0]["next"]).text
    assert second.count('rel="prev" data-action="first-page"') == 1
    assert len(tables(pages[0]["next"])["output/p.csv"]["items"]) == 200
    assert client.get(f"{path}&table=output/none.csv&page=200").status_code == 422
