"""Open connections to an index: they answer like a new one, whatever happens to its file."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.errors import UsageError
from alo.history.index import table
from alo.history.index.kept import MOST_IDLE, KeptIndex
from alo.history.index.table import Index
from alo.layout import Workspace

Keep = Callable[..., Path]


@pytest.fixture
def kept(workspace: Workspace, keep: Keep) -> Iterator[KeptIndex]:
    keep(0)
    opened = KeptIndex(workspace)
    yield opened
    opened.close()


def ids(runs: Index) -> list[str]:
    return runs.ids()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The paths that connections were opened to."""
    found: list[Path] = []

    def connect(path: Path) -> sqlite3.Connection:
        found.append(path)
        return connect_it(path)

    connect_it = table.connect
    monkeypatch.setattr(table, "connect", connect)
    return found


def test_one_connection_answers_one_question_after_the_other(
    kept: KeptIndex, keep: Keep, opened: list[Path]
) -> None:
    kept.ask(ids)  # makes it
    opened.clear()
    before = kept.ask(ids)
    newer = keep(1).name

    assert kept.ask(ids) == [*before, newer]
    assert len(opened) == 1


def test_an_index_that_was_deleted_meanwhile_is_made_again(
    kept: KeptIndex, workspace: Workspace, keep: Keep
) -> None:
    kept.ask(ids)
    kept.ask(ids)
    shutil.rmtree(workspace.internal)
    newer = keep(1).name

    assert newer in kept.ask(ids)
    assert newer in kept.ask(ids)
    assert workspace.index.exists()


def test_an_index_that_another_has_taken_the_place_of_is_left(
    kept: KeptIndex, workspace: Workspace
) -> None:
    kept.ask(ids)
    kept.ask(ids)
    other = workspace.internal / "other"
    other.touch()
    os.replace(other, workspace.index)

    assert len(kept.ask(ids)) == 1
    assert workspace.index.stat().st_size > 0  # it was asked, and so was filled


def test_a_damaged_index_is_made_again(kept: KeptIndex, workspace: Workspace) -> None:
    kept.ask(ids)
    content = kept.ask(ids)
    kept.close()
    workspace.index.write_bytes(b"no database" * 1000)

    assert kept.ask(ids) == content


def test_a_question_that_fails_leaves_nothing_open_and_the_next_is_answered(
    kept: KeptIndex,
) -> None:
    def refuse(runs: Index) -> None:
        runs.select("BEGIN", ())
        raise UsageError("no")

    kept.ask(ids)
    with pytest.raises(UsageError):
        kept.ask(refuse)

    assert kept.ask(lambda runs: runs.select("SELECT 1", ())) == [(1,)]
    kept.ask(lambda runs: runs.select("BEGIN IMMEDIATE", ()))


def test_questions_of_many_threads_are_answered_at_once_and_few_connections_stay(
    kept: KeptIndex, opened: list[Path]
) -> None:
    kept.ask(ids)
    opened.clear()
    count = MOST_IDLE + 3
    meeting = threading.Barrier(count)

    def meet(runs: Index) -> list[str]:
        meeting.wait(60)
        return runs.ids()

    def ask_at_once() -> None:
        threads = [threading.Thread(target=kept.ask, args=(meet,)) for _ in range(count)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    ask_at_once()
    first = len(opened)
    ask_at_once()

    assert first == count
    assert len(opened) == count + (count - MOST_IDLE)


def test_runs_are_counted_anew_once_any_has_come_or_gone(
    kept: KeptIndex, workspace: Workspace, keep: Keep
) -> None:
    def count(runs: Index) -> int:
        return runs.count("kind = ?", ("train",))

    kept.ask(ids)
    found = [kept.ask(count), kept.ask(count)]
    keep(1)  # taken in by this connection
    found.append(kept.ask(count))
    newer = keep(2)
    table.ask(workspace, ids)  # taken in by another
    found.append(kept.ask(count))
    shutil.rmtree(newer)
    found.append(kept.ask(count))

    assert found == [1, 1, 2, 3, 2]
