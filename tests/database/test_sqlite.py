"""The studio's database: what people did is there after a kill, and nothing is overwritten."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from alo.database.migrations import MIGRATIONS
from alo.database.sqlite import SqliteDatabase
from alo.errors import DatabaseError, UsageError
from alo.ui.audit import Audit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studio" / "studio.sqlite"


def test_a_newer_database_is_refused_and_left_as_it_is(path: Path) -> None:
    SqliteDatabase(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()

    with pytest.raises(UsageError, match="version 99") as refused:
        SqliteDatabase(path)

    assert refused.value.exit_status == 2
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (99,)
    other.close()


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99])
def test_a_damaged_database_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(UsageError, match="cannot be used"):
        SqliteDatabase(path)

    assert path.read_bytes() == content


def test_one_that_another_program_keeps_locked_is_an_error_and_comes_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.database.sqlite.PATIENCE_S", 0.1)
    database = SqliteDatabase(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(DatabaseError, match="locked") as told:
        Audit(database).add("ada", "run", "x")

    assert not told.value.is_full
    other.execute("ROLLBACK")
    other.close()
    Audit(database).add("ada", "run", "x")
    database.close()


def test_every_migration_is_made_of_statements_that_run_in_order() -> None:
    with sqlite3.connect(":memory:") as database:
        for statements in MIGRATIONS:
            for statement in statements:
                database.execute(statement.format(serial="INTEGER PRIMARY KEY"))
    database.close()
