"""What both databases of the studio do: the same tests for SQLite and for PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from tests.conftest import OpenDatabase

from alo.database.audit import Audit
from alo.database.connection import Database, marks
from alo.database.migrations import MIGRATIONS
from alo.errors import DatabaseError, UsageError
from alo.ui.access.people import People

HOSTILE = (
    "'; DROP TABLE audit; --",
    "%s %(a)s ? {serial}",
    '"; SELECT 1',
    "한글\n\t<script>",
    "\\",
)


def test_what_was_written_is_there_for_the_next_studio(open_database: OpenDatabase) -> None:
    first = open_database()
    Audit(first).add("ada", "deploy", "run")
    first.close()

    assert [each.by for each in Audit(open_database()).changes()] == ["ada"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_a_value_whatever_it_says(open_database: OpenDatabase, text: str) -> None:
    database = open_database()
    people = People(database)
    Audit(database).add(text, text, text, {text: text}, {text: text})

    assert people.with_token(text) is None
    assert people.with_password(text, text) is None
    assert people.with_session(text) is None
    (change,) = Audit(database).changes()
    assert change[2:] == (text, text, text, {text: text}, {text: text})


def test_an_error_undoes_the_whole_transaction(open_database: OpenDatabase) -> None:
    database = open_database()

    def fail() -> None:
        with database.transaction() as rows:
            rows.execute("INSERT INTO tokens VALUES ('a', 'b', 'viewer', '', '')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert database.read("SELECT * FROM tokens") == []


def test_a_transaction_within_another_is_a_part_of_it(open_database: OpenDatabase) -> None:
    database = open_database()
    seen: list[int] = []

    def fail() -> None:
        with database.transaction() as rows:
            rows.execute("INSERT INTO tokens VALUES ('a', 'b', 'viewer', '', '')")
            Audit(database).add("ada", "token-added", "a")
            seen.extend([Audit(database).count, len(database.read("SELECT * FROM tokens"))])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert seen == [1, 1]
    assert (Audit(database).count, database.read("SELECT * FROM tokens")) == (0, [])
    Audit(database).add("ada", "deploy", "run")  # what comes after it is another
    assert Audit(database).count == 1


def test_what_other_threads_do_is_no_part_of_a_transaction(open_database: OpenDatabase) -> None:
    database, seen = open_database(), list[int]()
    with database.transaction() as rows:
        rows.execute("INSERT INTO tokens VALUES ('a', 'b', 'viewer', '', '')")
        other = threading.Thread(
            target=lambda: seen.append(len(database.read("SELECT * FROM tokens")))
        )
        other.start()
        other.join()

    assert seen == [0]


def test_a_statement_that_is_refused_is_an_error_and_the_next_one_is_answered(
    open_database: OpenDatabase,
) -> None:
    database = open_database()

    with pytest.raises(DatabaseError) as reported:
        database.read("SELECT nonsense FROM nowhere")

    assert not reported.value.is_full
    assert database.read("SELECT 1") == [(1,)]


def test_writers_of_two_studios_wait_for_each_other(open_database: OpenDatabase) -> None:
    audits = [Audit(open_database()) for _ in range(2)]

    def write(audit: Audit) -> None:
        for _ in range(20):
            audit.add("ada", "run", "x")

    threads = [threading.Thread(target=write, args=(audit,)) for audit in audits * 3]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    numbers = [each.number for each in audits[0].changes(limit=500)]
    assert len(numbers) == 120
    assert numbers == sorted(numbers, reverse=True)


def test_studios_that_start_together_make_the_tables_once(open_database: OpenDatabase) -> None:
    made: list[Database] = []
    threads = [threading.Thread(target=lambda: made.append(open_database())) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [each.read("SELECT count(*) FROM audit")[0][0] for each in made] == [0] * 4


def test_a_newer_database_is_refused_and_left_as_it_is(open_database: OpenDatabase) -> None:
    database = open_database()
    with database.transaction() as rows:
        if is_postgres(database):
            rows.execute("UPDATE studio_version SET version = 99")
    if not is_postgres(database):
        database.read("PRAGMA user_version = 99")

    with pytest.raises(UsageError, match="version 99") as refused:
        open_database()

    assert refused.value.exit_status == 2
    assert str(len(MIGRATIONS)) in refused.value.what
    assert database.read("SELECT count(*) FROM audit")[0][0] == 0


def is_postgres(database: Database) -> bool:
    return type(database).__name__ == "PostgresDatabase"


def test_values_of_a_list_have_their_places_whatever_is_in_them(
    open_database: OpenDatabase,
) -> None:
    database = open_database()
    for each in HOSTILE:
        Audit(database).add("ada", "deploy", each)

    found = database.read(
        f"SELECT target FROM audit WHERE target IN ({marks(HOSTILE)})",  # noqa: S608 - marks alone
        HOSTILE,
    )

    assert {row[0] for row in found} == set(HOSTILE)
    assert marks(()) == ""
