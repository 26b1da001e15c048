"""The studio's database: what people did is there after a kill, and nothing is overwritten."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from alo.database.audit import Audit
from alo.database.migrations import MIGRATIONS
from alo.database.sqlite import SqliteDatabase
from alo.errors import DatabaseError, UsageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studio" / "studio.sqlite"


AsUser = Callable[[Callable[[Path], object]], None]


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

    with pytest.raises(DatabaseError, match="locked") as reported:
        Audit(database).add("ada", "run", "x")

    assert not reported.value.is_full
    other.execute("ROLLBACK")
    other.close()
    Audit(database).add("ada", "run", "x")
    database.close()


def test_one_that_another_program_keeps_locked_at_the_start_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.database.sqlite.PATIENCE_S", 0.1)
    SqliteDatabase(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(UsageError, match="locked") as refused:
        SqliteDatabase(path)

    assert "end the program" in refused.value.fix
    other.close()


def test_without_room_for_what_sqlite_needs_the_disk_is_said_to_be_full(
    small_disk: Callable[..., Path],
) -> None:
    disk = small_disk(3)
    path = disk / "studio" / "studio.sqlite"
    database = SqliteDatabase(path)
    Audit(database).add("ada", "run", "x")
    database.close()  # the files beside it go
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass

    with pytest.raises(UsageError, match="the disk is full") as refused:
        SqliteDatabase(path)

    assert "make room" in refused.value.fix
    filler.unlink()
    database = SqliteDatabase(path)
    assert [each.act for each in Audit(database).changes()] == ["run"]
    database.close()


def test_one_on_a_disk_that_may_only_be_read_is_said_at_the_start_and_left_as_it_is(
    small_disk: Callable[..., Path],
) -> None:
    disk = small_disk(3)
    path = disk / "studio" / "studio.sqlite"
    SqliteDatabase(path).close()
    content = path.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

    with pytest.raises(UsageError) as refused:
        SqliteDatabase(path)

    assert "may be read and written to" in refused.value.fix
    assert path.read_bytes() == content


def test_one_that_may_only_be_read_from_now_on_is_still_read(as_another_user: AsUser) -> None:
    def try_it(folder: Path) -> None:
        path = folder / "studio" / "studio.sqlite"
        database = SqliteDatabase(path)
        Audit(database).add("ada", "run", "x")
        database.close()
        path.chmod(0o400)

        with pytest.raises(DatabaseError, match="readonly") as reported:
            Audit(database).add("ada", "run", "y")

        assert "may be read and written to" in reported.value.fix
        assert [each.target for each in Audit(database).changes()] == ["x"]

    as_another_user(try_it)


def test_every_migration_is_made_of_statements_that_run_in_order() -> None:
    with sqlite3.connect(":memory:") as database:
        for statements in MIGRATIONS:
            for statement in statements:
                database.execute(statement.format(serial="INTEGER PRIMARY KEY"))
    database.close()
