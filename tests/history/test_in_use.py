"""Runs that are in use: the current model's, deployed ones, and what a run in progress needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from alo.claims import take
from alo.history.in_use import ids_in_use, unfinished_record
from alo.history.models_origin import write_origin
from alo.layout import Workspace

RUN = {"id": "r2", "pipeline": "inference", "train_id": "t2", "start_time": "2026-01-01T00:00:00Z"}


@pytest.fixture
def journal(workspace: Workspace) -> Workspace:
    """A run that began, and is no more."""
    workspace.unfinished.mkdir()
    workspace.journal.write_text(json.dumps({**RUN, "record": RUN}))
    return workspace


def test_without_a_journal_no_run_is_unfinished(workspace: Workspace) -> None:
    assert unfinished_record(workspace) is None


@pytest.mark.parametrize("text", ["", "[", "[]", '{"record": {}}', '{"record": {"id": "a"}}'])
def test_a_damaged_journal_is_of_no_run(workspace: Workspace, text: str) -> None:
    workspace.unfinished.mkdir()
    workspace.journal.write_text(text)

    assert unfinished_record(workspace) is None


def test_a_run_whose_process_is_gone_was_interrupted(journal: Workspace) -> None:
    record = unfinished_record(journal)

    assert record is not None
    assert (record.id, record.status) == ("r2", "interrupted")
    assert "killed" in record.reason


def test_a_run_whose_claim_is_held_continues(journal: Workspace) -> None:
    claim = take(journal.run_lock, "a run")
    assert claim is not None
    code = (
        "import sys; from pathlib import Path; from alo.layout import Workspace\n"
        "from alo.history.in_use import unfinished_record\n"
        "print(unfinished_record(Workspace(Path(sys.argv[1]))).status)"
    )
    command = [sys.executable, "-c", code, str(journal.home)]
    try:
        # A claim of its own is no one else's to a process: another one looks.
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    finally:
        claim.release()

    assert done.stdout == "running\n"


def test_what_an_unfinished_run_needs_is_in_use(journal: Workspace) -> None:
    journal.models.mkdir(parents=True)
    (journal.models / "m").write_text("x")
    write_origin(journal, "t1")
    (journal.home / "solution").mkdir()
    (journal.home / "solution/deployment.json").write_text('{"run": "d1", "shadow": "d2"}')

    assert {"r2", "t2", "t1", "d1", "d2"} <= ids_in_use(journal)
