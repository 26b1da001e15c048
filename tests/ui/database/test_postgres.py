"""The studio's database in PostgreSQL: what its server does, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.ui.conftest import TOKEN, Browse, MakeStudio
from tests.ui.postgres_server import PostgresServer
from tests.waiting import wait_until

from alo.errors import UsageError
from alo.ui.audit import Audit
from alo.ui.database.postgres import PostgresDatabase
from alo.ui.problems import UiProblem


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
        with pytest.raises(UiProblem, match="cannot be used now") as told:
            audit.add("ada", "run", "meanwhile")
    finally:
        postgres.start()

    assert told.value.status == 503
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

    with pytest.raises(UiProblem, match="cannot be used now"):
        cut_off()

    assert database.read("SELECT * FROM tokens") == []


def test_a_studio_answers_503_while_its_server_is_away_and_is_well_again(
    postgres: PostgresServer, make_studio: MakeStudio, browse: Browse
) -> None:
    client = browse(make_studio(database_url=postgres.new_database()))
    client.get(f"/?token={TOKEN}")
    assert client.get("/jobs.json").status_code == 200

    postgres.stop()
    try:
        answer = client.get("/jobs.json")
    finally:
        postgres.start()

    assert (answer.status_code, answer.json()["error"]["fix"]) == (503, "see that the server runs")
    assert wait_until(lambda: client.get("/jobs.json").status_code == 200)


def test_who_waits_for_a_writer_too_long_is_told(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alo.ui.database.postgres.PATIENCE_S", 0.1)
    url = postgres.new_database()
    one, other = PostgresDatabase(url), PostgresDatabase(url)

    with one.transaction(), pytest.raises(UiProblem, match="lock timeout") as told:
        Audit(other).add("ada", "run", "x")

    assert told.value.status == 503
    Audit(other).add("ada", "run", "x")
    one.close()
    other.close()


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    pytest.importorskip("psycopg")

    with pytest.raises(UsageError) as told:
        PostgresDatabase("postgresql://ada:secret@127.0.0.1:1/x")

    assert "secret" not in str(told.value)
    assert told.value.exit_status == 2
