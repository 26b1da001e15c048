"""How far a staging is, in bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.data import progress
from alo.data.locations import list_sources
from alo.data.staging import (
    stage,
)
from alo.layout import Workspace

WriteTree = Callable[..., Path]


def test_the_way_is_reported_in_bytes(
    workspace: Workspace, write_tree: WriteTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "REPORT_EVERY_S", -1)
    source = write_tree("data", {"x": b"1" * 3_000_000, "y": "2"})
    reported: list[tuple[int, int]] = []

    sources = list_sources(workspace.home, [str(source)], workspace.input("train"))
    stage(workspace, "train", sources, lambda done, total: reported.append((done, total)))

    assert reported == sorted(reported)
    assert len(reported) > 3
    assert reported[-1] == (3_000_001, 3_000_001)
