"""Files of a run: reports run in a sandbox, and no name leads out of the run."""

from __future__ import annotations

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
    ["../../../solution/experimental_plan.yaml", "..%2f..%2fx", "/etc/passwd", "link", "nope", ""],
)
def test_no_name_leads_out_of_the_run(
    client: httpx.Client, runs: dict[str, str], home: Path, name: str
) -> None:
    (home / "history/train" / runs["train"] / "link").symlink_to("/etc/passwd")

    for part in ("raw", "files"):
        answer = client.get(f"/runs/{runs['train']}/{part}/{name}")
        assert answer.status_code == 404 or ("<main" in answer.text and name == "")


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
