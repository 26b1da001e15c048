"""The studio's database in PostgreSQL: what its server does, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.postgres_server import PostgresServer

from alo.database.audit import Audit
from alo.database.postgres import PostgresDatabase
from alo.errors import DatabaseError, UsageError


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[PostgresDatabase]:
    database = PostgresDatabase(postgres.new_database())
    yield database
    database.close()


def test_a_server_that_is_restarted_costs_what_was_asked_meanwhile(
    postgres: PostgresServer, database: PostgresDatabase
) -> None:
    audit = Audit(database)
    audit.add("ada", "run", "before")

    postgres.stop()
    try:
        with pytest.raises(DatabaseError, match="cannot be used now") as reported:
            audit.add("ada", "run", "meanwhile")
    finally:
        postgres.start()

    assert not reported.value.is_full
    audit.add("ada", "run", "after")
    assert [each.target for each in audit.changes()] == ["after", "before"]


def test_one_that_is_cut_off_in_a_transaction_has_done_nothing(
    postgres: PostgresServer, database: PostgresDatabase
) -> None:
    def cut_off() -> None:
        with database.transaction() as rows:
            rows.execute("INSERT INTO tokens VALUES ('a', 'b', 'viewer', '', '')")
            postgres.stop()
            postgres.start()
            rows.execute("INSERT INTO tokens VALUES ('c', 'd', 'viewer', '', '')")

    with pytest.raises(DatabaseError, match="cannot be used now"):
        cut_off()

    assert database.read("SELECT * FROM tokens") == []


def test_who_waits_for_a_writer_too_long_is_reported(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.database.postgres.PATIENCE_S", 0.1)
    url = postgres.new_database()
    one, other = PostgresDatabase(url), PostgresDatabase(url)

    with one.transaction(), pytest.raises(DatabaseError, match="lock timeout") as reported:
        Audit(other).add("ada", "run", "x")

    assert not reported.value.is_full
    Audit(other).add("ada", "run", "x")
    one.close()
    other.close()


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(UsageError) as reported:
        PostgresDatabase("postgresql://ada:secret@127.0.0.1:1/x")

    assert "secret" not in str(reported.value)
    assert reported.value.exit_status == 2
