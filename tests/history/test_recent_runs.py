"""Which run ended last is what was noted last, whatever the clock says."""

from __future__ import annotations

import os

import pytest

from alo.history.recent_runs import recent_runs, record_recent_run
from alo.layout import Workspace


def test_the_last_to_end_comes_first_once_for_each_pipeline(workspace: Workspace) -> None:
    for kind, run_id in (("train", "a"), ("inference", "b"), ("train", "c")):
        record_recent_run(workspace, kind, run_id)

    assert recent_runs(workspace) == [("train", "c"), ("inference", "b")]


def test_where_the_internals_were_deleted_none_is_known(workspace: Workspace) -> None:
    assert recent_runs(workspace) == []


def test_lines_that_say_nothing_are_passed_over(workspace: Workspace) -> None:
    workspace.internal.mkdir()
    workspace.recent_runs.write_bytes(b"train \nother x\n\xff\ninference a\n\n")

    assert recent_runs(workspace) == [("inference", "a")]


def test_a_file_that_cannot_be_written_costs_nothing(workspace: Workspace) -> None:
    workspace.internal.write_text("a file in the way")

    record_recent_run(workspace, "train", "a")

    assert recent_runs(workspace) == []


@pytest.mark.parametrize("leads_to", ["/dev/zero", "pipe"])
def test_what_has_no_end_or_never_begins_is_not_read(workspace: Workspace, leads_to: str) -> None:
    workspace.internal.mkdir()
    os.mkfifo(workspace.internal / "pipe")
    workspace.recent_runs.symlink_to(leads_to)

    assert recent_runs(workspace) == []
    record_recent_run(workspace, "train", "a")
    assert recent_runs(workspace) == [("train", "a")]
