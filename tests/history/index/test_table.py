"""The index follows the folders, whatever is done to either."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.files import remove_tree
from alo.history.browse import History
from alo.history.filters import Filters, Param
from alo.history.index import table
from alo.layout import Workspace

Keep = Callable[..., Path]


def listed(history: History) -> list[str]:
    return [record.id for record in history.list(limit=None)]


def test_runs_that_come_and_go_are_followed(keep: Keep, history: History) -> None:
    first, second = keep(0), keep(1)
    assert listed(history) == [second.name, first.name]

    shutil.rmtree(second)
    third = keep(2)

    assert listed(history) == [third.name, first.name]


def delete(path: Path) -> None:
    path.unlink()


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database" * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_inside(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    path.write_bytes(bytes(content))


def age(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 999")
        database.execute("DROP TABLE params")
    database.close()


def drop_a_table(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE runs")
    database.close()


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "harm",
    [delete, overwrite, empty, damage_inside, age, drop_a_table, become_a_folder],
)
def test_a_damaged_index_is_made_again(
    keep: Keep, history: History, workspace: Workspace, harm: Callable[[Path], None]
) -> None:
    entry = keep(0)
    listed(history)

    harm(workspace.index)

    assert listed(history) == [entry.name]
    assert len(history.list(Filters(status="success"))) == 1


def test_a_project_that_cannot_be_written_to_is_listed_all_the_same(
    keep: Keep, history: History, workspace: Workspace
) -> None:
    entry = keep(0)
    remove_tree(workspace.internal)
    workspace.internal.write_text("in the way")

    assert listed(history) == [entry.name]


def test_an_index_that_another_process_keeps_locked_is_not_waited_for_for_ever(
    keep: Keep, history: History, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(0)
    listed(history)
    second = keep(1)
    monkeypatch.setattr(table, "PATIENCE_S", 0.05)
    other = sqlite3.connect(workspace.index, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    assert listed(history)[0] == second.name
    other.close()


def test_records_changed_by_hand_are_read_again(keep: Keep, history: History) -> None:
    entry = keep(0, result="before", args={"train": {"n": 1}})
    listed(history)
    record = entry / "log/experimental_history.json"

    record.write_text(record.read_text().replace("before", "after").replace('"n": 1', '"n": 22'))

    assert [line.result for line in history.lines()] == ["after"]
    assert len(history.list(Filters(params=(Param("train", "n", 22),)))) == 1


def test_a_change_that_makes_a_run_meet_a_filter_is_seen(keep: Keep, history: History) -> None:
    record = keep(0) / "log/experimental_history.json"
    listed(history)

    record.write_text(record.read_text().replace('"success"', '"interrupted"'))

    assert len(history.list(Filters(status="interrupted"))) == 1


def test_a_list_of_the_newest_looks_at_no_more_records_than_it_takes(
    keep: Keep, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [keep(minute, args={"train": {"even": minute % 2 == 0}}).name for minute in range(9)]
    listed(history)
    looked_at = []
    stamp = table.Index._stamp
    monkeypatch.setattr(
        table.Index,
        "_stamp",
        lambda self, kind, name: (looked_at.append(name), stamp(self, kind, name))[1],
    )

    lines = history.lines(Filters(params=(Param("train", "even", True),)), limit=2)

    assert [line.id for line in lines] == [runs[8], runs[6]]
    assert looked_at == [runs[8], runs[7], runs[6]]


def test_a_newer_run_that_meets_a_filter_by_now_takes_its_place(
    keep: Keep, history: History
) -> None:
    keep(0, status="interrupted")
    second = keep(1, status="interrupted")
    record = keep(2, status="error") / "log/experimental_history.json"
    listed(history)

    record.write_text(record.read_text().replace('"error"', '"interrupted"'))

    lines = history.lines(Filters(status="interrupted"), limit=2)
    assert [line.name for line in lines] == [f"{record.parent.parent.name}", second.name]


@pytest.mark.parametrize("limit", [0, 1])
def test_no_more_runs_are_listed_than_asked_for(keep: Keep, history: History, limit: int) -> None:
    keep(0)
    keep(1)

    assert len(history.lines(limit=limit)) == limit


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"id": "other"}', b'{"score": "x"}'],
)
def test_an_entry_with_a_damaged_record_is_listed(
    keep: Keep, history: History, content: bytes
) -> None:
    entry = keep(3)

    (entry / "log/experimental_history.json").write_bytes(content)

    (record,) = history.list()
    assert record.id == entry.name
    assert record.pipeline == "train"
    assert record.start_time == "2026-01-01T00:03:00.000000Z"


def test_an_entry_without_a_record_says_so(keep: Keep, history: History) -> None:
    shutil.rmtree(keep(0) / "log")

    (record,) = history.list()

    assert record.status == "error"
    assert "cannot be read" in record.reason


def test_an_entry_of_alo_2x_tells_its_status_by_its_name(
    history: History, workspace: Workspace
) -> None:
    for name in ("20240505T120000Z-12345678-old", "20240505T120001Z-12345678-old-error"):
        (workspace.history / "train" / name / "log").mkdir(parents=True)
        record = workspace.history / "train" / name / "log/experimental_history.json"
        record.write_text('{"id": "x", "start_time": "20240505T120000Z"}')

    found = [(record.id, record.status) for record in history.list()]

    assert found == [
        ("20240505T120001Z-12345678-old", "error"),
        ("20240505T120000Z-12345678-old", "success"),
    ]


def test_stray_files_and_strange_names_are_passed_over(
    keep: Keep, history: History, workspace: Workspace
) -> None:
    entry = keep(0)
    (workspace.history / "train/notes.txt").write_text("mine")
    (workspace.history / "train/.DS_Store").write_text("")
    os.mkdir(os.fsencode(workspace.history / "train") + b"/\xff")
    (workspace.history / "train/a folder of mine").mkdir()

    assert listed(history) == ["a folder of mine", entry.name]


def test_leftovers_of_a_killed_removal_are_swept(
    keep: Keep, history: History, workspace: Workspace
) -> None:
    keep(0).rename(workspace.history / "train/.x.0123abcd.removing")

    assert listed(history) == []
    assert list((workspace.history / "train").iterdir()) == []


def test_many_readers_at_once_agree(keep: Keep, workspace: Workspace) -> None:
    for minute in range(30):
        keep(minute)
    code = (
        "import sys; from pathlib import Path; from alo.history.browse import History\n"
        "from alo.layout import Workspace\n"
        "print(len(History(Workspace(Path(sys.argv[1]))).list(limit=None)))"
    )

    readers = [
        subprocess.Popen([sys.executable, "-c", code, str(workspace.home)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]

    assert [reader.communicate()[0].strip() for reader in readers] == [b"30"] * 4
