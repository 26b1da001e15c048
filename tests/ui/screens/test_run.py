"""One run: its steps, files and failure; what assets have written is text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.errors import StepError
from alo.history.browse import History
from alo.layout import Workspace

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
