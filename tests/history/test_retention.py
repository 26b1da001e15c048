"""``backup_size``: the oldest runs go, and only as many as have to."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alo.history.entries.save import save_entry
from alo.history.ids import utc_text
from alo.history.record import RunRecord
from alo.history.retention import keep_within
from alo.layout import Workspace

Keep = Callable[..., Path]

LARGE = {"output/a.bin": b"x" * 500_000}


def ids(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in workspace.history.glob("*/*"))


def test_the_oldest_go_first_whatever_their_kind(keep: Keep, workspace: Workspace) -> None:
    third = keep(2, files=LARGE)
    first = keep(0, files=LARGE, pipeline="inference")
    second = keep(1, files=LARGE, status="error")

    removed = keep_within(workspace, 1.1, ())

    assert removed == [first.name]
    assert ids(workspace) == sorted([second.name, third.name])


def test_nothing_goes_while_there_is_room(keep: Keep, workspace: Workspace) -> None:
    keep(0, files=LARGE)
    keep(1, files=LARGE)

    assert keep_within(workspace, 1.1, ()) == []


def test_runs_of_the_same_second_go_by_the_microsecond(keep: Keep, workspace: Workspace) -> None:
    first = keep(0, id="20260101T000000Z-99999999-demo")
    second = keep(1e-6, id="20260101T000000Z-00000000-demo")

    assert keep_within(workspace, 0, ()) == [first.name]
    assert second.is_dir()


def test_the_newest_stays_even_if_it_alone_is_too_large(keep: Keep, workspace: Workspace) -> None:
    keep(0)
    newest = keep(1, files=LARGE)

    keep_within(workspace, 0.001, ())

    assert ids(workspace) == [newest.name]


def test_protected_runs_stay(keep: Keep, workspace: Workspace) -> None:
    oldest, middle, newest = keep(0), keep(1), keep(2)

    assert keep_within(workspace, 0, {oldest.name}) == [middle.name]
    assert ids(workspace) == [oldest.name, newest.name]


def test_an_entry_that_has_shrunk_since_is_measured_anew(keep: Keep, workspace: Workspace) -> None:
    oldest = keep(0, files=LARGE)
    keep(1, files=LARGE)
    keep_within(workspace, 10, ())
    (oldest / "output/a.bin").unlink()
    keep(2, files=LARGE)

    assert keep_within(workspace, 1.1, ()) == []


def test_a_large_file_that_several_entries_share_counts_once(
    keep: Keep, workspace: Workspace
) -> None:
    first = keep(0, files={"models/m": b"x" * 1_500_000})
    for minute in (1, 2):
        os.link(first / "models/m", keep(minute) / "m")

    assert keep_within(workspace, 1.6, ()) == []


def test_a_large_file_that_several_entries_share_goes_with_the_last_of_them(
    keep: Keep, workspace: Workspace
) -> None:
    first = keep(0, files={"models/m": b"x" * 1_500_000})
    second, third, newest = keep(1), keep(2, files=LARGE), keep(3)
    os.link(first / "models/m", second / "m")

    assert keep_within(workspace, 1.9, ()) == [first.name, second.name]  # only then it is free
    assert ids(workspace) == [third.name, newest.name]


def test_a_shared_file_of_an_entry_that_was_measured_before_is_known_again(
    keep: Keep, workspace: Workspace
) -> None:
    first = keep(0, files={"models/m": b"x" * 1_500_000})
    os.link(first / "models/m", keep(1) / "m")
    keep(2)
    for _ in range(2):  # the second time from the ledger
        (workspace.history_total).unlink(missing_ok=True)
        assert keep_within(workspace, 1.6, ()) == []

    (workspace.history_total).unlink()
    assert len(keep_within(workspace, 1.4, ())) == 2


def test_history_that_takes_just_what_it_may_keeps_every_run(
    keep: Keep, workspace: Workspace
) -> None:
    entries = [keep(minute) for minute in range(3)]
    taken = sum(map(disk_bytes, entries))

    assert keep_within(workspace, taken / 1_000_000, ()) == []
    assert keep_within(workspace, (taken - 1) / 1_000_000, ()) == [entries[0].name]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"train/x": 1}', b'{"a": ["", 1, {"i": "x"}]}'])
def test_a_damaged_ledger_is_made_again(keep: Keep, workspace: Workspace, content: bytes) -> None:
    workspace.internal.mkdir()
    (workspace.internal / "history-sizes.json").write_bytes(content)
    oldest = keep(0)
    keep(1)

    assert keep_within(workspace, 0, ()) == [oldest.name]
    assert len(json.loads((workspace.internal / "history-sizes.json").read_bytes())) == 1


def test_damaged_entries_and_stray_files_are_no_trouble(keep: Keep, workspace: Workspace) -> None:
    damaged = keep(0)
    (damaged / "log/experimental_history.json").write_text("{")
    (workspace.history / "train/notes.txt").write_text("mine")
    keep(1)

    assert keep_within(workspace, 0, ()) == [damaged.name]
    assert (workspace.history / "train/notes.txt").exists()


def test_a_project_without_history_is_no_trouble(workspace: Workspace) -> None:
    assert keep_within(workspace, 0, ()) == []


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 60_000), min_size=1, max_size=6),
    limit=st.integers(0, 300_000),
    protected=st.sets(st.integers(0, 5)),
)
def test_no_more_goes_than_has_to_and_no_less_than_can(
    sizes: list[int], limit: int, protected: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        entries = []
        for number, size in enumerate(sizes):
            artifacts = Path(folder) / f"artifacts-{number}"
            (artifacts / "output").mkdir(parents=True)
            (artifacts / "output/x").write_bytes(b"x" * size)
            record = RunRecord(f"r{number}", "train", "success", utc_text(number))
            entries.append(save_entry(workspace, record, plan=b"", artifacts=artifacts, code={}))
        taken = [disk_bytes(entry) for entry in entries]

        removed = keep_within(workspace, limit / 1e6, {f"r{number}" for number in protected})

        left = [number for number, entry in enumerate(entries) if entry.exists()]
        gone = [number for number, entry in enumerate(entries) if not entry.exists()]
        may_go = [n for n in range(len(sizes) - 1) if n not in protected]
        assert removed == [f"r{number}" for number in gone]
        assert gone == may_go[: len(gone)]  # the oldest of those that may go
        is_within = sum(taken[number] for number in left) <= limit
        assert is_within or gone == may_go
        if gone:  # without the last removal it would have been too much
            assert sum(taken[number] for number in [*left, gone[-1]]) > limit
        shutil.rmtree(workspace.history)


def disk_bytes(entry: Path) -> int:
    return sum(path.stat().st_size for path in entry.rglob("*") if path.is_file())
