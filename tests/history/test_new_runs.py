"""A list just after a run has that run, without a look through history, and only what is there."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from alo.history import new_runs
from alo.history.browse import History
from alo.history.entries.names import names_in
from alo.history.index import table
from alo.layout import Workspace

Keep = Callable[..., Path]
LONG_AGO_NS = 1_700_000_000_000_000_000


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose entries are listed."""
    seen: list[Path] = []

    def names(folder: Path) -> list[str]:
        seen.append(folder)
        return names_in(folder)

    monkeypatch.setattr(table, "names_in", names)
    return seen


@pytest.fixture
def first(keep: Keep, history: History, looks: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that the index has for good; what comes from now on is new for the whole test."""
    entry = keep(0, result="the first", score=0.5)
    os.utime(entry.parent, ns=(LONG_AGO_NS, LONG_AGO_NS))
    history.lines()
    looks.clear()
    monkeypatch.setattr(table, "SETTLED_NS", 10**15)
    return entry


def listed(history: History, entry: Path) -> list[str]:
    """What is listed once the clock that the folder was changed by has gone on."""
    wait_until(lambda: time.time_ns() - entry.parent.stat().st_mtime_ns > table.TICK_NS)
    return [line.name for line in history.lines()]


def test_new_runs_are_listed_without_a_look_at_the_others(
    keep: Keep, history: History, first: Path, looks: list[Path]
) -> None:
    second = keep(1, result="a ü\ud800", score=float(1), note="n")
    third = keep(2, status="error", train_id="x")

    assert listed(history, third) == [third.name, second.name, first.name]
    assert not looks


def test_a_noted_row_is_what_the_index_reads_from_the_record(
    keep: Keep, workspace: Workspace, history: History, first: Path, looks: list[Path]
) -> None:
    new = keep(1, result="OK", score=0.25, note="n", seconds=1.5, train_id="x")
    listed(history, new)
    noted = history.lines()
    assert not looks

    workspace.new_runs.unlink()

    assert history.lines() == noted
    assert looks


def test_no_more_runs_are_listed_than_asked_for(keep: Keep, history: History, first: Path) -> None:
    new = keep(1)
    listed(history, new)

    assert [line.name for line in history.lines(limit=1)] == [new.name]


@pytest.mark.parametrize("at", [0, 1])
def test_a_run_removed_meanwhile_is_not_listed(
    keep: Keep, history: History, first: Path, at: int
) -> None:
    runs = [first, keep(1)]
    shutil.rmtree(runs.pop(at))

    assert listed(history, first) == [runs[0].name]


def test_a_removed_run_is_not_listed_even_where_its_folder_seems_unchanged(
    keep: Keep, history: History, first: Path
) -> None:
    new = keep(1)
    changed = new.parent.stat()
    shutil.rmtree(new)
    os.utime(first.parent, ns=(changed.st_atime_ns, changed.st_mtime_ns))

    assert listed(history, first) == [first.name]


def test_a_run_that_has_not_noted_itself_is_listed(
    keep: Keep, history: History, first: Path, looks: list[Path]
) -> None:
    new = keep(1)
    copy = shutil.copytree(new, new.with_name("run-of-another-version"))
    newer = keep(2)

    assert sorted(listed(history, newer)) == sorted(e.name for e in (first, new, copy, newer))
    assert looks


def test_a_record_changed_since_is_read_again(keep: Keep, history: History, first: Path) -> None:
    new = keep(1, note="before")
    record = new / "log" / "experimental_history.json"
    record.write_text(record.read_text().replace("before", "and after"))

    listed(history, new)

    assert history.lines()[0].note == "and after"


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"[1, 2]", b"\xff", b"7", b"[" * 100_000, b'[1,2,"train",4]']
)
def test_a_damaged_line_is_passed_over(
    keep: Keep, workspace: Workspace, history: History, first: Path, looks: list[Path], line: bytes
) -> None:
    with workspace.new_runs.open("ab") as file:
        file.write(b"\n" + line)
    new = keep(1)

    assert listed(history, new) == [new.name, first.name]
    assert not looks


def test_a_run_is_listed_where_its_note_is_damaged(
    keep: Keep, workspace: Workspace, history: History, first: Path, looks: list[Path]
) -> None:
    new = keep(1)
    workspace.new_runs.write_bytes(workspace.new_runs.read_bytes()[:-10])

    assert listed(history, new) == [new.name, first.name]
    assert looks


def test_notes_take_no_more_than_so_much(
    keep: Keep, workspace: Workspace, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_runs, "MOST_BYTES", 500)
    for minute in range(9):
        entry = keep(minute)

    assert workspace.new_runs.stat().st_size < 1_500
    assert len(listed(history, entry)) == 9


@pytest.mark.parametrize("leads_to", ["/dev/zero", "/dev/full", "pipe"])
def test_what_has_no_end_or_never_begins_is_neither_read_nor_waited_for(
    keep: Keep, workspace: Workspace, history: History, first: Path, leads_to: str
) -> None:
    os.mkfifo(workspace.internal / "pipe")
    workspace.new_runs.unlink()
    workspace.new_runs.symlink_to(leads_to)

    new = keep(1)

    assert listed(history, new) == [new.name, first.name]
