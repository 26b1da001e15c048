"""Files of a run: reports run in a sandbox, and no name leads out of the run."""

from __future__ import annotations

import html
import os
import re
import shutil
from pathlib import Path

import httpx
import pytest

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_reports_run_in_a_sandbox_and_their_text_is_never_ours(
    client: httpx.Client, runs: dict[str, str]
) -> None:
    raw = client.get(f"/runs/{runs['train']}/raw/report/report.html")

    assert raw.headers["content-security-policy"].startswith("sandbox allow-scripts; default-src")
    assert raw.headers["x-content-type-options"] == "nosniff"
    page = client.get(f"/runs/{runs['train']}/files/report/report.html").text
    assert "<script>alert" not in page
    assert 'sandbox="allow-scripts"' in page


@pytest.mark.parametrize(
    "name",
    [
        *("../../../solution/experimental_plan.yaml", "/etc/passwd", "link", "nope", ""),
        *("..%2f..%2fx", "..%252f..%252fx", "%252e%252e/%252e%252e/x", "..\\..\\x", "..%5c..%5cx"),
        *("....//....//x", "%00", "%c0%ae%c0%ae/%c0%ae%c0%ae/x"),
    ],
)
def test_no_name_leads_out_of_the_run(
    client: httpx.Client, runs: dict[str, str], home: Path, name: str
) -> None:
    (home / "history/train" / runs["train"] / "link").symlink_to("/etc/passwd")

    for part in ("raw", "files"):
        answer = client.get(f"/runs/{runs['train']}/{part}/{name}")
        assert answer.status_code == 404 or ("<main" in answer.text and name == "")


@pytest.mark.parametrize(
    "name",
    [
        *(b"\xff.txt", b"\xff.csv", b"\xff.png", b"a\nb.txt", b"100%.txt", b"q?x#y.txt"),
        *(b"back\\slash.txt", b" lead.txt", b"%2e%2e.txt", b"..x.txt", b"a;b,c.tsv", b"\x1b.html"),
        *("가 나.csv".encode(), b"<img src=x onerror=alert(1)>.csv", b"x" * 250 + b".csv"),
    ],
)
def test_a_file_is_shown_whatever_its_name_is(
    client: httpx.Client, runs: dict[str, str], home: Path, name: bytes
) -> None:
    folder = home / "history/inference" / runs["inference"] / "output"
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / os.fsdecode(name)).write_bytes(b"a,b\n1,2\n")
    run = f"/runs/{runs['inference']}"

    listed = client.get(f"{run}/files?folder=output").text
    link = html.unescape(re.findall(r'href="([^"]+/files/output/[^"]+)"', listed)[0])

    for path in (
        run,
        f"{run}.json",
        f"{run}/files.json?folder=output",
        link,
        f"{link}?format=json",
    ):
        assert client.get(path).status_code == 200, path
    raw = client.get(link.replace("/files/", "/raw/"), params={"download": "1"})
    assert raw.content == b"a,b\n1,2\n"
    assert raw.headers["content-disposition"].startswith("attachment")
    assert "<img src=x" not in listed


def test_what_is_no_file_of_the_run_is_not_shown_by_any_of_its_pages(
    client: httpx.Client, runs: dict[str, str], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("of somebody else")
    entry = home / "history/train" / runs["train"]
    for path in (entry / "experimental_plan.yaml", entry / "log" / "pipeline.log"):
        path.unlink()
        path.symlink_to(tmp_path / "secret")
    (entry / "assets/train/link.py").symlink_to(tmp_path / "secret")
    os.mkfifo(entry / "assets/train/pipe.py")

    for part in ("", "/plan", "/log", "/code", "/files", "/again", "/files?folder=assets/train"):
        assert "of somebody else" not in client.get(f"/runs/{runs['train']}{part}").text
    assert client.get(f"/runs/{runs['train']}/plan").status_code == 404
    assert client.get(f"/runs/{runs['train']}/code").status_code == 200


def test_files_are_listed_by_folder_and_page(
    client: httpx.Client, runs: dict[str, str], home: Path
) -> None:
    folder = home / "history/train" / runs["train"] / "many"
    folder.mkdir()
    for n in range(120):
        (folder / f"{n:03}.txt").write_text("x")
    (folder / "out").symlink_to("/etc")

    found, url = [], f"/runs/{runs['train']}/files.json?folder=many"
    while url:
        content = client.get(url).json()
        found += [each["path"] for each in content["items"]]
        url = content["next"].replace("/files?", "/files.json?") if content["next"] else None

    assert found == [f"many/{n:03}.txt" for n in range(120)]
    assert content["total"] == 120
    top = client.get(f"/runs/{runs['train']}/files.json").json()["items"]
    assert {"path": "many", "name": "many", "size": None, "type": "folder"} in top
    searched = client.get(f"/runs/{runs['train']}/files.json?q=117").json()["items"]
    assert [each["path"] for each in searched] == ["many/117.txt"]
    for name in ("..", "many/out", "/etc", "nowhere", "many/001.txt"):
        answer = client.get(f"/runs/{runs['train']}/files", params={"folder": name})
        assert answer.status_code == 404
