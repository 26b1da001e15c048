"""Counts of one connection: made once for each condition, until anyone has changed the rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alo.history.index import counts
from alo.history.index.counts import Counts


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def database(place: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(place, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute("CREATE TABLE runs (kind TEXT)")
        opened.execute("INSERT INTO runs VALUES ('train'), ('train'), ('inference')")
        yield opened


@pytest.fixture
def counted(database: sqlite3.Connection) -> list[str]:
    """The counts that the connection has made."""
    found: list[str] = []
    database.set_trace_callback(lambda query: found.append(query) if "count" in query else None)
    return found


def test_what_was_counted_is_not_counted_again(
    database: sqlite3.Connection, counted: list[str]
) -> None:
    known = Counts()

    for _ in range(3):
        assert known.count(database, "kind = ?", ("train",)) == 2
        assert known.count(database, "kind = ?", ("inference",)) == 1

    assert len(counted) == 2


def test_it_is_once_this_or_another_connection_has_changed_the_rows(
    database: sqlite3.Connection, place: Path
) -> None:
    known = Counts()
    found = [known.count(database, "1", ())]

    database.execute("INSERT INTO runs VALUES ('train')")
    found.append(known.count(database, "1", ()))
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("DELETE FROM runs WHERE kind = 'inference'")
    found.append(known.count(database, "1", ()))

    assert found == [3, 4, 3]


def test_no_more_conditions_are_remembered_than_there_is_room_for(
    database: sqlite3.Connection, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MOST", 2)
    known = Counts()

    for kind in ("train", "inference", "other", "train"):
        known.count(database, "kind = ?", (kind,))

    assert len(counted) == 4
