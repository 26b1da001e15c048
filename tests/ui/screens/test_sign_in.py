"""The sign-in page."""

from __future__ import annotations

import httpx
import pytest

from ..conftest import Browse, MakeStudio

OWN = {"Origin": "http://127.0.0.1:8811"}
PASSWORD = "long enough"  # noqa: S105


@pytest.fixture
def stranger(make_studio: MakeStudio, browse: Browse) -> httpx.Client:
    studio = make_studio()
    studio.people.add("ada", "viewer", PASSWORD)
    return browse(studio)


def test_name_and_password_lead_to_where_one_was_going(stranger: httpx.Client) -> None:
    form = {"name": "ada", "password": PASSWORD, "next": "/runs"}

    answer = stranger.post("/sign-in", data=form, headers=OWN)

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    assert stranger.get("/runs").status_code == 200


def test_a_wrong_password_is_said_on_the_form(stranger: httpx.Client) -> None:
    answer = stranger.post("/sign-in", data={"name": "ada", "password": "no"}, headers=OWN)
    assert 'name="name" autocomplete="username" required value="ada">' in answer.text
    assert 'name="password" autocomplete="current-password" required autofocus>' in answer.text

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil", "x\r\ny"])
def test_nobody_is_led_to_another_site(stranger: httpx.Client, target: str) -> None:
    form = {"name": "ada", "password": PASSWORD, "next": target}

    assert stranger.post("/sign-in", data=form, headers=OWN).headers["location"] == "/"


def test_a_form_of_another_site_signs_nobody_in(stranger: httpx.Client) -> None:
    form = {"name": "ada", "password": PASSWORD}
    headers = {"Origin": "http://evil.example"}

    assert stranger.post("/sign-in", data=form, headers=headers).status_code == 403
