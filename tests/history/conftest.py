"""Fixtures for history: a workspace, and runs put into its history without running anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.history.browse import History
from alo.history.entries.save import save_entry
from alo.history.ids import new_run_id, utc_text
from alo.history.record import RunRecord
from alo.layout import Workspace

FIRST = 1_767_225_600.0  # 2026-01-01T00:00:00Z

Keep = Callable[..., Path]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    home = tmp_path / "project"
    home.mkdir()
    return Workspace(home)


@pytest.fixture
def history(workspace: Workspace) -> History:
    return History(workspace)


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    """``make_record(3, status="error", ...)``: a run that started 3 minutes into 2026."""

    def make(minute: float = 0, **fields: Any) -> RunRecord:
        started = FIRST + minute * 60
        fields.setdefault("id", new_run_id("demo", started))
        fields.setdefault("pipeline", "train")
        fields.setdefault("status", "success")
        return RunRecord(start_time=utc_text(started), end_time=utc_text(started + 1), **fields)

    return make


@pytest.fixture
def keep(workspace: Workspace, make_record: Callable[..., RunRecord], tmp_path: Path) -> Keep:
    """``keep(3, files={"output/a.csv": b"..."}, status="error", ...)``: the entry's folder."""
    count = 0

    def keep_it(minute: float = 0, *, files: dict[str, bytes] | None = None, **fields: Any) -> Path:
        nonlocal count
        count += 1
        artifacts = tmp_path / f"artifacts-{count}"
        for name, content in (files or {}).items():
            (artifacts / name).parent.mkdir(parents=True, exist_ok=True)
            (artifacts / name).write_bytes(content)
        record = make_record(minute, **fields)
        return save_entry(workspace, record, plan=b"name: demo\n", artifacts=artifacts, code={})

    return keep_it
