"""The sum of what history takes is right whatever comes and goes, and spares looks at entries."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.history.entries import tally
from alo.history.entries.tally import bytes_of, has_room, known_total
from alo.history.retention import keep_within
from alo.layout import KINDS, Workspace

Keep = Callable[..., Path]

LARGE = {"output/a.bin": b"x" * 500_000}


def true_total(workspace: Workspace) -> int:
    entries = [entry for kind in KINDS for entry in (workspace.history / kind).glob("[!.]*")]
    return sum(bytes_of(entry)[0] for entry in entries)


def test_each_entry_is_added(keep: Keep, workspace: Workspace) -> None:
    keep(0)
    keep_within(workspace, 10, ())

    keep(1, files=LARGE)
    keep(2, pipeline="inference")

    assert known_total(workspace) == true_total(workspace)


def test_while_there_is_room_no_entry_is_looked_at(
    keep: Keep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(0)
    keep_within(workspace, 10, ())
    keep(1)
    monkeypatch.delattr("alo.history.retention._Ledger")

    assert keep_within(workspace, 10, ()) == []


def test_there_is_room_only_where_all_entries_are_known_to_take_less(
    keep: Keep, workspace: Workspace
) -> None:
    keep(0, files=LARGE)
    assert not has_room(workspace, 10)  # no one has counted yet

    keep_within(workspace, 10, ())

    assert has_room(workspace, 0.6)
    assert not has_room(workspace, 0.5)


def test_entries_added_one_by_one_make_the_oldest_go(keep: Keep, workspace: Workspace) -> None:
    oldest = keep(0, files=LARGE)
    keep_within(workspace, 1.1, ())
    keep(1, files=LARGE)
    assert keep_within(workspace, 1.1, ()) == []

    keep(2, files=LARGE)

    assert keep_within(workspace, 1.1, ()) == [oldest.name]
    assert known_total(workspace) == true_total(workspace)


@pytest.mark.parametrize("is_between", [True, False])
def test_what_comes_or_goes_otherwise_has_all_counted(
    keep: Keep, workspace: Workspace, tmp_path: Path, is_between: bool
) -> None:
    first = keep(0, files=LARGE)
    keep_within(workspace, 10, ())
    shutil.copytree(first, tmp_path / "moved")
    shutil.rmtree(first)
    shutil.move(tmp_path / "moved", first.with_name(f"{first.name}-error"))

    if is_between:
        keep(1)

    assert known_total(workspace) is None


def test_now_and_then_all_is_counted_all_the_same(
    keep: Keep, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST_ADDED", 2)
    keep(0)
    keep_within(workspace, 10, ())
    keep(1)
    assert known_total(workspace) is not None

    keep(2)

    assert known_total(workspace) is None


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"added": 0}', b'{"total": "x", "added": 0, "stamps": []}']
)
def test_a_damaged_note_is_made_again(keep: Keep, workspace: Workspace, content: bytes) -> None:
    keep(0)
    workspace.internal.mkdir(exist_ok=True)
    workspace.history_total.write_bytes(content)

    assert known_total(workspace) is None
    keep_within(workspace, 10, ())
    assert known_total(workspace) == true_total(workspace)
