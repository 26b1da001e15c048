"""The loop with a database on a server: as with the file, and a restart loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.postgres_server import PostgresServer

from alo.cli.main import main
from alo.database.connection import Database
from alo.database.opening import open_database
from alo.errors import DatabaseError
from alo.layout import Workspace
from alo.loop.held_runs import close_review
from alo.review.deciding import decide
from alo.review.decisions import NewDecision
from alo.review.reviews import Reviews

from ..support.loop_project import LAX, write_loop_project

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    return write_loop_project(make_solution)


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def command(home: Path, url: str, capfd: pytest.CaptureFixture[str]) -> Command:
    """``command("review", "list")``, with the server's database where the command takes one."""

    def call(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        takes_url = words[0] in ("review", "trace") or words[:2] == ("dataset", "make")
        status = main(
            [*words, "--project", str(home), *(["--database-url", url] if takes_url else [])]
        )
        return status, *capfd.readouterr()

    return call


@pytest.fixture
def reviewed(command: Command, home: Path) -> str:
    """The run of a review `r`, of whose records most are labelled."""
    assert command("run", "--quiet")[0] == 0
    new = ("--random", "100", "--key", "id", "--label", "kind", "--seed", "1")
    assert command("review", "new", "r", *new, "--labels", "good", "bad")[0] == 0
    items = json.loads(command("review", "show", "r", "--json")[1])["items"]
    said = home / "said.csv"
    rows = [f"k{n},{each['record']},accept" for n, each in enumerate(items)]
    said.write_text("\n".join(["key,record,verdict", *rows]))
    assert command("review", "decide", "r", "--from", str(said))[:2] == (0, "100 saved\n")
    return str(items[0]["record"])


def test_the_whole_loop_works_and_leaves_no_file_of_a_database(
    command: Command, home: Path, reviewed: str
) -> None:
    assert command("review", "list")[1].startswith("name")
    assert "accuracy" in command("review", "accuracy", "r")[1]
    exported = home / "out.jsonl"
    assert command("review", "export", "r", "--format", "jsonl", "--to", str(exported))[0] == 0
    assert command("review", "import", "r", str(exported))[0] == 0
    assert command("dataset", "make", "d", "--review", "r")[0] == 0
    assert command("retrain", "--dataset", "d", *LAX)[0] in (0, 3)
    assert command("review", "close", "r")[0] == 0
    assert (home / "studio/reviews/r/inputs.jsonl").is_file()
    assert command("history", "remove", reviewed.partition(":")[0])[0] == 0
    found = json.loads(command("trace", reviewed, "--json")[1])
    states = {each["id"]: each["state"] for each in found["nodes"]}
    assert states[reviewed.partition(":")[0]] == "pruned"
    assert states[f"input of {reviewed}"] == "present"
    assert {"decision", "review", "dataset"} <= {each["kind"] for each in found["nodes"]}
    assert command("review", "reopen", "r")[0] == 0
    assert command("review", "remove", "r")[0] == 0
    assert not (home / "studio/studio.sqlite").exists()


def test_without_the_server_each_command_says_so_and_then_all_is_as_it_was(
    command: Command, home: Path, reviewed: str, postgres: PostgresServer
) -> None:
    before = command("review", "show", "r", "--json")
    postgres.stop()
    try:
        reported = [
            command(*words)
            for words in (
                ("review", "list"),
                ("review", "show", "r"),
                ("review", "new", "other", "--random", "5"),
                ("review", "decide", "r", "--from", str(home / "said.csv")),
                ("review", "accuracy", "r"),
                ("review", "export", "r"),
                ("review", "close", "r"),
                ("review", "remove", "r"),
                ("dataset", "make", "d", "--review", "r"),
                ("trace", reviewed),
            )
        ]
    finally:
        postgres.start()

    for status, out, err in reported:
        assert (status, out) == (2, ""), err
        assert "the studio's database cannot be used now" in err
        assert "where: postgresql://" in err
        assert "see that the server runs" in err
    assert command("review", "show", "r", "--json") == before
    assert not (home / "datasets/d").exists()
    assert not (home / "studio/reviews").exists()


def test_decisions_that_a_restart_cuts_off_are_sent_again_and_stored_once(
    home: Path, url: str, reviewed: str, postgres: PostgresServer
) -> None:
    database = open_database(Workspace(home), url)
    records = [each.id for each in Reviews(database).items(Reviews(database).get("r"))]
    sent = [NewDecision(key=f"n{n}", record=each, verdict="flag", replace=True)
            for n, each in enumerate(records)]  # fmt: skip

    def send() -> set[str]:
        return {each.state for each in decide(database, "r", sent, person="bo", time="t")}

    with pytest.raises(DatabaseError, match="cannot be used now"):
        cut_off(database, postgres)
    assert Reviews(database).get("r").person != "half"
    assert send() == {"saved"}
    restart(postgres)
    assert send() == {"unchanged"}
    assert database.read("SELECT count(*) FROM decisions") == [(200,)]
    database.close()


def test_a_review_whose_closing_a_restart_cuts_off_is_closed_by_the_next_try(
    home: Path, url: str, reviewed: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(Workspace(home), url)
    with monkeypatch.context() as patched:
        patched.setattr(Reviews, "decided", lambda *_: cut_off(database, postgres))
        with pytest.raises(DatabaseError):
            close_review(Workspace(home), database, "r")

    assert close_review(Workspace(home), database, "r").state == "closed"
    assert (home / "studio/reviews/r/inputs.jsonl").is_file()
    database.close()


def restart(server: PostgresServer) -> None:
    server.stop()
    server.start()


def cut_off(database: Database, server: PostgresServer) -> list[str]:
    with database.transaction() as rows:
        rows.execute("UPDATE reviews SET person = ?", ("half",))
        restart(server)
        rows.execute("SELECT 1")
    return []
