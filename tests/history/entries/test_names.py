"""How entries are called, and what is read of one, whatever is damaged in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.entries.names import (
    RECORD,
    entry_folder,
    entry_name,
    entry_names,
    is_entry,
    read_record,
)
from alo.layout import Workspace

Keep = Callable[..., Path]


def test_the_entry_of_a_run_that_did_not_succeed_says_so() -> None:
    assert entry_name("r", "success") == "r"
    assert [entry_name("r", each) for each in ("error", "interrupted")] == ["r-error"] * 2


def test_an_entry_is_found_by_its_id_however_the_run_ended(
    keep: Keep, workspace: Workspace
) -> None:
    good, failed = keep(0, id="a"), keep(1, id="b", status="error")

    assert entry_folder(workspace, "train", "a") == good
    assert entry_folder(workspace, "train", "b") == failed
    assert entry_folder(workspace, "train", "c") == workspace.history / "train/c"


def test_what_is_hidden_or_no_text_is_no_entry(tmp_path: Path) -> None:
    for name in (b"run", "런".encode(), b".run.1234.building", b"\xff"):
        os.mkdir(os.path.join(os.fsencode(tmp_path), name))

    assert sorted(entry_names(tmp_path)) == ["run", "런"]
    assert not is_entry(os.fsdecode(b"\xff"))
    assert entry_names(tmp_path / "not there") == []


def test_an_entry_that_is_not_there_has_no_record(workspace: Workspace) -> None:
    with pytest.raises(FileNotFoundError):
        read_record(workspace.history / "train/none")


@pytest.mark.parametrize("text", ["{", "[]", "\xff", None])
def test_of_a_damaged_entry_its_name_tells_what_it_can(keep: Keep, text: str | None) -> None:
    entry = keep(0, id="20260102T030405Z-00000001-demo", status="error")
    (entry / RECORD).unlink()
    if text is not None:
        (entry / RECORD).write_text(text, encoding="latin-1")

    record = read_record(entry)

    assert (record.id, record.pipeline) == ("20260102T030405Z-00000001-demo", "train")
    assert record.status == "error"
    assert record.start_time.startswith("2026-01-02T03:04:05")
    assert "its record cannot be read" in record.reason


def test_without_a_time_in_its_name_that_of_its_folder_counts(keep: Keep) -> None:
    entry = keep(0, id="odd")
    (entry / RECORD).write_text("{")
    os.utime(entry, (86_400, 86_400))

    assert read_record(entry).start_time.startswith("1970-01-02T00:00:00")


@pytest.mark.parametrize(("name", "status"), [("old", "success"), ("old-error", "error")])
def test_an_entry_of_2x_tells_its_status_by_its_name(
    workspace: Workspace, name: str, status: str
) -> None:
    entry = workspace.history / "train" / name
    (entry / "log").mkdir(parents=True)
    (entry / RECORD).write_text('{"id": "old"}')

    record = read_record(entry)

    assert (record.id, record.status) == ("old", status)
