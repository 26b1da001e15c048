"""Users, tokens and sessions: who may sign in, and until when."""

from __future__ import annotations

import pytest
from tests.conftest import OpenDatabase

from alo.errors import UsageError
from alo.ui.access.people import People, owner
from alo.ui.access.roles import Person

PASSWORD = "long enough"  # noqa: S105


@pytest.fixture
def people(open_database: OpenDatabase) -> People:
    return People(open_database())


def test_who_has_name_and_password_signs_in_with_the_role_of_now(people: People) -> None:
    people.add("ada", "viewer", PASSWORD)

    person = people.with_password("ada", PASSWORD)

    assert person == Person("ada", "viewer")
    session = people.open_session(Person("ada", "operator"))
    assert people.with_session(session) is not None
    assert people.with_session(session).role == "viewer"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "password"), [("ada", "wrong wrong"), ("eve", PASSWORD), ("", ""), ("ada", "")]
)
def test_others_do_not(people: People, name: str, password: str) -> None:
    people.add("ada", "viewer", PASSWORD)

    assert people.with_password(name, password) is None


def test_a_disabled_user_is_out_at_once_until_there_is_another_password(people: People) -> None:
    people.add("ada", "viewer", PASSWORD)
    session = people.open_session(Person("ada", "viewer"))
    token = people.add_token("ci", "viewer", "ada")

    people.disable("ada")

    assert people.with_session(session) is None
    assert people.with_token(token) is None
    assert people.with_password("ada", PASSWORD) is None
    people.set_password("ada", f"{PASSWORD} 2")
    assert people.with_password("ada", f"{PASSWORD} 2") is not None


def test_another_password_ends_the_sessions(people: People) -> None:
    people.add("ada", "viewer", PASSWORD)
    session = people.open_session(Person("ada", "viewer"))

    people.set_password("ada", f"{PASSWORD} 2")

    assert people.with_session(session) is None


def test_a_token_may_do_no_more_than_its_user(people: People) -> None:
    people.add("ada", "viewer", PASSWORD)

    token = people.add_token("ci", "operator", "ada")

    assert people.with_token(token) == Person("ada", "viewer")
    people.revoke("ci")
    assert people.with_token(token) is None


def test_nothing_that_signs_in_is_stored_as_it_is(open_database: OpenDatabase) -> None:
    database = open_database()
    people = People(database)
    people.add("ada", "viewer", PASSWORD)
    secrets = [people.open_session(owner()), people.add_token("ci", "viewer"), PASSWORD]

    tables = ("people", "sessions", "tokens", "audit")
    stored = str([database.read(f"SELECT * FROM {name}") for name in tables])  # noqa: S608

    assert "ada" in stored
    assert not any(secret in stored for secret in secrets)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "é", "-x", "owner"])
def test_a_name_that_could_be_taken_for_something_else_is_refused(
    people: People, name: str
) -> None:
    with pytest.raises(UsageError):
        people.add(name, "viewer", PASSWORD)


def test_names_are_taken_once_and_roles_and_passwords_are_checked(people: People) -> None:
    people.add("ada", "viewer", PASSWORD)

    for given in (("ada", "viewer", PASSWORD), ("b", "king", PASSWORD), ("b", "viewer", "short")):
        with pytest.raises(UsageError):
            people.add(*given)
    assert [user.name for user in people.users()] == ["ada"]
