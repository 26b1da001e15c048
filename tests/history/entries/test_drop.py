"""Models that are dropped: the entry says so, stays whole, and a kill between leaves no lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.rerun import require_models
from alo.errors import HistoryError
from alo.history.browse import History
from alo.history.entries import drop
from alo.history.entries.verify import damage
from alo.layout import Workspace

TRAIN = """
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write("x" * 100)
"""


@pytest.fixture
def entry(make_solution: Callable[..., Path], run: Callable[..., Any]) -> Any:
    home = make_solution({"train": TRAIN})
    return History(Workspace(home)).find(run(home)[0].run_id)


def workspace_of(entry: Any) -> Workspace:
    return Workspace(entry.folder.parents[2])


def test_the_models_go_and_the_entry_says_why(entry: Any) -> None:
    workspace = workspace_of(entry)
    drop.drop_models(workspace, entry.record.id, "others were better")
    assert not (entry.folder / "models").exists()
    assert damage(entry.folder) == []
    with pytest.raises(HistoryError, match="others were better"):
        require_models(workspace, entry.record.id)
    drop.drop_models(workspace, entry.record.id, "again")
    drop.drop_models(workspace, "no such run", "x")
    assert [each for each in workspace.home.iterdir() if "trash" in each.name] == []


def test_a_kill_before_they_are_gone_leaves_an_entry_that_says_they_are(
    entry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drop, "discard", killed)
    with pytest.raises(KeyboardInterrupt):
        drop.drop_models(workspace_of(entry), entry.record.id, "others were better")
    with pytest.raises(HistoryError, match="others were better"):
        require_models(workspace_of(entry), entry.record.id)
    assert damage(entry.folder) == []
