"""Users are added once, and no password is recorded."""

from __future__ import annotations

import csv
import json
import re

import httpx
import pytest

from alo.ui.access.roles import Person
from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_a_user_is_added_once(client: httpx.Client, studio: Studio) -> None:
    user = {"name": "ada", "role": "viewer", "password": "long enough"}

    assert client.post("/users", json=user, headers=OWN).status_code == 201
    assert client.post("/users", json=user, headers=OWN).status_code == 422
    assert client.get("/users.json").json()["items"][0]["name"] == "ada"
    assert "long enough" not in str(studio.audit.changes())


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"name": "ada"}, "name"), ({"password": "2short7"}, "password"), ({"role": "odd"}, "role")],
)
def test_a_refused_form_is_shown_as_it_was_sent_with_the_wrong_field_named(
    client: httpx.Client, studio: Studio, changed: dict[str, str], field: str
) -> None:
    studio.people.add("ada", "viewer", "long enough")
    sent = {"name": "bob", "role": "reviewer", "password": "long enough", **changed}

    answer = client.post("/users", data=sent, headers=OWN)

    assert answer.status_code == 422
    form = answer.text.partition('<form class="args"')[2]
    assert f'value="{sent["name"]}"' in form
    assert ('value="reviewer" selected' in form) is (sent["role"] == "reviewer")
    assert re.findall('name="([a-z]+)"[^>]*aria-invalid="true"', form) == [field]
    assert len(re.findall('class="wrong" role="alert">[^<]', form)) == 1
    assert sent["password"] not in answer.text
    assert [each.name for each in studio.people.users()] == ["ada"]


def test_users_and_changes_are_there_as_csv(client: httpx.Client, studio: Studio) -> None:
    for name in ("ada", "bob"):
        user = {"name": name, "role": "viewer", "password": "long enough"}
        client.post("/users", json=user, headers=OWN)

    users = list(csv.DictReader(client.get("/users.csv").text.splitlines()))
    changes = list(csv.DictReader(client.get("/audit.csv?limit=1").text.splitlines()))

    assert [(each["name"], each["role"]) for each in users] == [
        ("ada", "viewer"),
        ("bob", "viewer"),
    ]
    assert [each["target"] for each in changes] == ["bob", "ada"]
    assert json.loads(changes[0]["after"]) == {"role": "viewer"}


def test_a_user_who_is_disabled_signs_in_no_more_until_there_is_another_password(
    client: httpx.Client, studio: Studio
) -> None:
    people = studio.people
    people.add("ada", "viewer", "long enough")
    session = people.open_session(Person("ada", "viewer"))

    assert client.post("/users/ada/disable", headers=OWN).headers["location"] == "/users"
    assert people.with_session(session) is None
    assert people.with_password("ada", "long enough") is None

    given = {"password": "longer than before"}
    assert client.post("/users/ada/password", json=given, headers=OWN).status_code == 200
    assert people.with_password("ada", "longer than before") == Person("ada", "viewer")
    assert "longer than" not in str(studio.audit.changes())
    changed = [each for each in studio.audit.changes() if each.act != "sign-in"]
    assert [each.act for each in changed] == ["password-changed", "user-disabled"]


def test_a_password_that_is_too_short_or_of_nobody_is_refused(
    client: httpx.Client, studio: Studio
) -> None:
    studio.people.add("ada", "viewer", "long enough")

    short = client.post("/users/ada/password", json={"password": "2short7"}, headers=OWN)
    nobody = client.post("/users/eve/disable", json={}, headers=OWN)

    assert (short.status_code, nobody.status_code) == (422, 404)
