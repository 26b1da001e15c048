"""Users are added once, and no password is recorded."""

from __future__ import annotations

import httpx

from alo.ui.studio import Studio

OWN = {"Origin": "http://127.0.0.1:8811"}


def test_a_user_is_added_once(client: httpx.Client, studio: Studio) -> None:
    user = {"name": "ada", "role": "viewer", "password": "long enough"}

    assert client.post("/users", json=user, headers=OWN).status_code == 201
    assert client.post("/users", json=user, headers=OWN).status_code == 422
    assert client.get("/users.json").json()["items"][0]["name"] == "ada"
    assert "long enough" not in str(studio.audit.changes())
