"""One run: its steps, files and failure; what assets have written is text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.errors import StepError
from alo.history.browse import History
from alo.layout import Workspace

RECORD, EVENTS = "log/experimental_history.json", "log/events.jsonl"
OWN = {"Origin": "http://127.0.0.1:8811"}


def test_a_run_shows_its_steps_and_files(client: httpx.Client, runs: dict[str, str]) -> None:
    content = client.get(f"/runs/{runs['train']}.json").json()

    (step,) = content["steps"]
    assert (step["name"], step["status"]) == ("train", "success")
    assert step["started"] < step["ended"]
    assert "report/report.html" in [file["path"] for file in content["files"]]
    for part in ("", "/steps", "/log", "/files", "/plan", "/code"):
        assert client.get(f"/runs/{runs['train']}{part}").status_code == 200


def test_a_failed_run_opens_at_the_traceback_of_its_step(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    with pytest.raises(StepError):
        run(home, mode="train", overrides=("train.x=13",))
    (record,) = History(Workspace(home)).list()

    page = client.get(f"/runs/{record.id}").text

    assert page.index("ValueError: thirteen") < page.index('class="steps"')
    assert "Step train failed" in page


def test_what_an_asset_has_named_or_written_is_text(
    client: httpx.Client, home: Path, run: Callable[..., Any]
) -> None:
    asset = home / "assets/train/asset_train.py"
    evil = "<img src=x onerror=alert(1)>"
    asset.write_text(asset.read_text().replace('result="ok"', f'result="{evil}"'))
    (outcome,) = run(home, mode="train")

    for path in ("/", "/runs", f"/runs/{outcome.run_id}", "/models", f"/runs/{outcome.run_id}/log"):
        assert "<img src=x" not in client.get(path).text


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_record_of_anybody_is_shown_as_text(
    client: httpx.Client, home: Path, runs: dict[str, str], language: str
) -> None:
    odd = "%(x)s 5% <script>alert(1)</script>"
    entry = home / "history/inference" / runs["inference"]
    record = json.loads((entry / RECORD).read_text())
    fixed = ("id", "pipeline", "start_time", "end_time")
    record |= {key: odd for key, each in record.items() if type(each) is str and key not in fixed}
    record |= {"overrides": [odd], "packages": {odd: odd}, "args": {odd: {odd: odd}}}
    record |= {"probability": {odd: 0.5}, "git": {odd: odd}}
    (entry / RECORD).write_text(json.dumps(record))
    events = [json.loads(line) for line in (entry / EVENTS).read_text().splitlines()]
    for each in events:
        payload = each["payload"]
        payload |= {key: odd for key in ("status", "text", "note", "level") if key in payload}
    (entry / EVENTS).write_text("".join(json.dumps(each) + "\n" for each in events))
    client.headers["Accept-Language"] = language

    parts = ("", "/steps", "/log", "/files", "/plan", "/code", "/again")
    pages = [f"/runs/{runs['inference']}{part}" for part in parts]
    for path in (*pages, "/", "/runs?columns=status,result,note", "/feed", "/models",
                 f"/compare?run={runs['train']}&run={runs['inference']}"):  # fmt: skip
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert "Content-Transfer-Encoding" not in page.text, path  # the catalog's own head
