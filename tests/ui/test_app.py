"""Who may ask the studio what, and in which form it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from alo.events.types import Event
from alo.layout import find_plan
from alo.ui.access.roles import Person
from alo.ui.rendering.page import Page
from alo.ui.routing.routes import ROUTES
from alo.ui.screens import overview

from .conftest import TOKEN, Browse, MakeStudio

PAGES = ("/", "/runs", "/models", "/jobs", "/feed", "/compare", "/audit", "/users", "/new")


@pytest.fixture
def stranger(make_studio: MakeStudio, browse: Browse) -> httpx.Client:
    return browse(make_studio())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_before_anything_has_run(client: httpx.Client, path: str) -> None:
    page = client.get(path)

    assert page.status_code == 200
    assert "<main" in page.text
    assert "data-screen=" in page.text


@pytest.mark.parametrize(
    ("path", "commands"),
    [
        ("/", ["alo run --mode train", "alo run --mode inference", "alo serve"]),
        ("/runs", ["alo run"]),
        ("/feed", ["alo serve"]),
        ("/models", ["alo run --mode train"]),
        ("/compare", ["alo history diff"]),
        ("/jobs", ["POST /runs"]),
        ("/users", ["alo ui users add"]),
    ],
)
def test_an_empty_page_names_the_command_that_fills_it(
    client: httpx.Client, path: str, commands: list[str]
) -> None:
    page = client.get(path).text.partition("<main")[2].partition("</main>")[0]

    assert [each for each in commands if f"<code>{each}" not in page] == []


def test_a_plan_that_is_broken_keeps_nothing_else_from_being_seen(
    client: httpx.Client, home: Path, runs: dict[str, str]
) -> None:
    find_plan(home).write_text("user_parameters: [a: {")

    for path in (*PAGES, f"/runs/{runs['train']}"):
        assert client.get(path).status_code == (409 if path == "/new" else 200), path
    for path in ("/new", f"/runs/{runs['train']}/again"):
        said = client.get(path)
        assert said.status_code == 409
        assert "alo check" in said.text
        assert "experimental_plan.yaml:1" in said.text


@pytest.mark.parametrize("path", ["/overview.json", "/runs.json", "/models.json", "/jobs.json"])
def test_a_page_has_its_data_at_the_same_path(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("route", [each for each in ROUTES if each.role], ids=lambda r: r.path)
def test_nothing_is_shown_or_changed_for_who_has_not_signed_in(
    stranger: httpx.Client, route: Any
) -> None:
    path = route.path.replace("{id}", "x").replace("{path:path}", "y")
    answer = stranger.request(route.method, path, headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer.json()["error"]["what"] == "sign in first"


def test_a_browser_is_led_to_the_sign_in_page(stranger: httpx.Client) -> None:
    answer = stranger.get("/runs", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/runs")


def test_who_signs_in_comes_back_to_the_page_as_it_was_asked_for(stranger: httpx.Client) -> None:
    asked = stranger.get("/runs?status=error&param=a.b%3D1&lang=ko")
    assert asked.headers["location"] == "/sign-in?next=/runs%3Fstatus%3Derror%26param%3Da.b%253D1"

    page = stranger.get(asked.headers["location"]).text

    assert 'name="next" value="/runs?status=error&amp;param=a.b%3D1"' in page


def test_a_url_that_has_signed_somebody_in_already_says_so(stranger: httpx.Client) -> None:
    led = stranger.get("/runs?token=used-before").headers["location"]

    assert "used-before" not in led
    assert "was used already" in stranger.get(led).text


def test_the_token_in_the_url_signs_in_and_leaves_the_url(stranger: httpx.Client) -> None:
    answer = stranger.get(f"/runs?status=error&token={TOKEN}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?status=error")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert stranger.get("/runs").status_code == 200


def test_signing_out_ends_the_session_also_for_who_has_copied_the_cookie(
    stranger: httpx.Client,
) -> None:
    stranger.get(f"/?token={TOKEN}")
    stolen = dict(stranger.cookies)

    stranger.post("/sign-out", headers={"Origin": "http://127.0.0.1:8811"})
    stranger.cookies.update(stolen)

    assert stranger.get("/runs.json").status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_name_is_refused(client: httpx.Client, host: str) -> None:
    assert client.get("/runs", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:8811", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_a_page_elsewhere_changes_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/deploy", data={"rollback": "true"}, headers=headers)

    assert answer.status_code == 403


def test_a_script_with_a_token_needs_no_origin(make_studio: MakeStudio, browse: Browse) -> None:
    studio = make_studio()
    token = studio.people.add_token("ci", "operator")
    client = browse(studio)

    answer = client.post("/deploy", json={"rollback": True}, headers=bearer(token))

    assert answer.status_code == 409  # nothing to go back to: it was asked, and refused


def test_a_viewer_reads_and_changes_nothing(make_studio: MakeStudio, browse: Browse) -> None:
    studio = make_studio()
    token = studio.people.add_token("screen", "viewer")
    client = browse(studio)

    assert client.get("/runs.json", headers=bearer(token)).status_code == 200
    assert client.post("/runs", json={}, headers=bearer(token)).status_code == 403
    assert client.get("/users.json", headers=bearer(token)).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_who_has_a_lesser_role_may_do_nothing_of_a_higher_one(
    make_studio: MakeStudio, browse: Browse, role: str
) -> None:
    studio = make_studio()
    client = browse(studio)
    headers = bearer(studio.people.add_token("t", role))
    higher = [each for each in ROUTES if not Person("t", role).may(each.role)]

    assert len(higher) >= 6
    for route in higher:
        path = route.path.replace("{id}", "x").replace("{name}", "x").replace("{path:path}", "y")
        answer = client.request(route.method, path, headers=headers)
        assert answer.status_code == 403, path
    assert studio.audit.count == 0


@pytest.mark.parametrize("token", ["x", "the-token", "é"])
def test_an_unknown_token_is_refused(stranger: httpx.Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}

    assert stranger.get("/runs.json", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nope", 404),
        ("/runs?status=odd", 422),
        ("/runs?unknown=1", 422),
        ("/runs?limit=0", 422),
        ("/runs?limit=501", 422),
        ("/runs?page=x", 422),
        ("/runs?sort=size", 422),
        ("/runs?columns=size", 422),
        ("/runs?param=x", 422),
        ("/runs?since=soon", 422),
        ("/runs?q=%00", 422),
        (f"/runs?q={'x' * 2001}", 422),
        ("/jobs?page=-1", 422),
        ("/runs/none.json", 404),
        ("/runs/..%2f..%2fetc", 404),
        ("/jobs/none", 404),
        ("/jobs/%ff", 404),
        ("/jobs/%00", 404),
        ("/runs/%ed%a0%80.json", 404),
        ("/events?run=none", 404),
        ("/events", 422),
        ("/static/../app.py", 404),
        ("/static/none.js", 404),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_said(
    client: httpx.Client, path: str, status: int
) -> None:
    assert client.get(path).status_code == status


SQL = "x'; DROP TABLE jobs; --"


def test_sql_in_any_field_is_a_value(make_studio: MakeStudio, browse: Browse) -> None:
    studio = make_studio(needs_sign_in=False)
    studio.people.add("ada", "operator", "long enough")
    client = browse(studio)
    own = {"Origin": "http://127.0.0.1:8811"}

    for path in ("/runs", "/feed", "/audit", "/jobs", "/models", "/compare", "/events"):
        for key in ("q", "status", "since", "param", "model", "sort", "columns", "page", "run"):
            answer = client.get(path, params={key: SQL})
            assert answer.status_code in (200, 404, 422), (path, key)
    for path in (f"/runs/{SQL}", f"/jobs/{SQL}", f"/runs/{SQL}/files/{SQL}"):
        assert client.get(path).status_code == 404
    for path in (f"/jobs/{SQL}/cancel", f"/users/{SQL}/disable", "/deploy", "/users", "/sign-in"):
        form = dict.fromkeys(("name", "password", "role", "run", "next"), SQL)
        assert client.post(path, data=form, headers=own).status_code in (401, 404, 409, 422), path
    wanted = {"pipeline": "train", "args": {"train": {"kind": SQL}}, "key": SQL, "data": SQL}
    assert client.post("/runs", json=wanted, headers=own).status_code == 422
    client.post("/runs", json={"pipeline": "train", "key": SQL}, headers=own)
    assert client.post("/runs", json={"pipeline": "train", "key": SQL}, headers=own).is_success
    assert client.get("/jobs.json").json()["total"] == 1
    assert [each.name for each in studio.people.users()] == ["ada"]


def test_errors_are_json_for_who_asks_for_json(client: httpx.Client) -> None:
    answer = client.get("/runs.json?status=odd")

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "status"


def test_a_method_that_a_path_does_not_have_is_refused(client: httpx.Client) -> None:
    assert client.post("/feed", headers={"Origin": "http://127.0.0.1:8811"}).status_code == 405


def test_a_fault_of_ours_costs_one_request_and_is_reported(
    client: httpx.Client, listener: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(ask: object) -> Page:
        raise RuntimeError("oh")

    monkeypatch.setattr(overview, "deployed_now", fail)

    assert client.get("/").status_code == 500
    assert "oh" in str(listener)
    assert client.get("/runs").status_code == 200


def test_a_body_that_is_too_large_or_no_json_is_refused(client: httpx.Client) -> None:
    own = {"Origin": "http://127.0.0.1:8811", "Content-Type": "application/json"}

    assert client.post("/runs", content=b"x" * 1_000_001, headers=own).status_code == 413
    assert client.post("/runs", content=b"{", headers=own).status_code == 400
    assert client.post("/runs", content=b"[" * 5000, headers=own).status_code == 400
    assert client.post("/runs", content=b'{"a": "\\ud800"}', headers=own).status_code == 400
    other = {**own, "Content-Type": "text/plain"}
    assert client.post("/runs", content=b"x", headers=other).status_code == 415


def test_pages_let_no_script_in_and_send_the_origin_with_forms(client: httpx.Client) -> None:
    headers = client.get("/").headers

    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en", "en"), ("de", "en"), ("ko;q=0.1,en", "en")],
)
def test_the_language_is_the_one_that_the_browser_asks_for(
    client: httpx.Client, asked: str, shown: str
) -> None:
    assert f'<html lang="{shown}">' in client.get("/", headers={"Accept-Language": asked}).text


def test_a_language_that_was_chosen_is_remembered(client: httpx.Client) -> None:
    client.get("/?lang=ko")

    assert '<html lang="ko">' in client.get("/runs", headers={"Accept-Language": "en"}).text


def test_behind_a_proxy_all_links_begin_with_its_path(
    make_studio: MakeStudio, browse: Browse
) -> None:
    client = browse(make_studio(needs_sign_in=False, base_path="/studio"))

    for path in ("/studio/runs", "/runs"):
        page = client.get(path).text
        links = [part.partition('"')[0] for part in page.split('href="')[1:]]
        assert all(link.startswith(("/studio", "#", "?")) for link in links), links


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
