"""What history does not have is counted, whoever removes it, and a count is no one's trouble."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.browse import History
from alo.history.entries.not_kept import NAME, NotKept, not_kept, note_not_kept
from alo.history.ids import is_utc_text
from alo.history.retention import keep_within
from alo.layout import Workspace

Keep = Callable[..., Path]


def test_what_is_removed_is_counted_by_its_kind_since_the_first(
    keep: Keep, workspace: Workspace, history: History
) -> None:
    entries = [keep(minute, pipeline="inference") for minute in range(6)]
    keep(9)
    assert not_kept(workspace.history, "inference") == NotKept(0, "")

    history.remove([entries[0].name])
    first = not_kept(workspace.history, "inference")
    history.prune(keep=4)
    keep_within(workspace, 0, ())

    counted = not_kept(workspace.history, "inference")
    assert counted == NotKept(6, first.since)
    assert is_utc_text(first.since)
    assert not_kept(workspace.history, "train").runs == 0


def test_what_several_count_at_once_is_all_there(workspace: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from alo.history.entries.not_kept import note_not_kept\n"
        "for _ in range(50): note_not_kept(Path(sys.argv[1]), 'inference')"
    )
    command = [sys.executable, "-c", code, str(workspace.history)]
    processes = [subprocess.Popen(command) for _ in range(3)]

    assert [each.wait() for each in processes] == [0, 0, 0]
    assert not_kept(workspace.history, "inference").runs == 150


@pytest.mark.parametrize("content", [b"", b"[]", b'{"inference": 1}', b'{"inference": {}}'])
def test_a_damaged_count_begins_anew(workspace: Workspace, content: bytes) -> None:
    workspace.history.mkdir()
    (workspace.history / NAME).write_bytes(content)
    assert not_kept(workspace.history, "inference") == NotKept()

    note_not_kept(workspace.history, "inference")

    assert not_kept(workspace.history, "inference").runs == 1


def test_where_it_cannot_be_counted_a_run_is_removed_all_the_same(
    keep: Keep, workspace: Workspace, history: History
) -> None:
    entry = keep(0, pipeline="inference")
    os.mkdir(workspace.history / NAME)

    assert history.remove([entry.name]) == [entry.name]
    assert not_kept(workspace.history, "inference") == NotKept()
