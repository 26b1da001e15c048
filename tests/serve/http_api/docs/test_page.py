"""The page of a service: for whom it is, and what it may load."""

from __future__ import annotations

import re

import httpx
import pytest

from alo.serve.http_api.docs.page import FOLDER, TYPES, page_file

from ..test_app import SECRET, Serve, Service

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_the_page_loads_files_of_its_own_alone(shared: Service) -> None:
    page = shared.client.get("/docs")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page.text)
    for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text):
        part = shared.client.get(f"/{name}")
        assert part.status_code == 200
        assert part.headers["x-content-type-options"] == "nosniff"
        assert "://" not in re.sub(r"https?://(www\.w3\.org|127\.0\.0\.1)", "", part.text)
    assert page.headers["content-type"].startswith("text/html")


def test_scripts_name_only_each_other() -> None:
    for path in FOLDER.glob("*.js"):
        for name in re.findall(r'from "([^"]+)"', path.read_text()):
            assert page_file(name.removeprefix("./")), (path.name, name)


def test_what_is_no_part_of_the_page_is_not_there(shared: Service) -> None:
    assert shared.client.get("/docs/nothing.js").status_code == 404
    assert shared.client.get("/docs/..%2fpage.py").status_code == 404
    assert page_file("../page.py") is None
    assert {each.suffix for each in FOLDER.iterdir()} == set(TYPES)


def test_a_slash_at_the_end_leads_to_the_page(shared: Service) -> None:
    answer = shared.client.get("/docs/", follow_redirects=True)

    assert answer.url.path == "/docs"
    assert answer.status_code == 200


@pytest.mark.parametrize("is_public", [False, True])
def test_where_a_token_is_set_the_page_asks_for_it_and_shows_nothing(
    serve: Serve, is_public: bool
) -> None:
    service = serve(*(["--public-docs"] if is_public else []), token=SECRET)
    page = httpx.get(f"{service.url}/docs", headers=BROWSER)

    assert page.status_code == (200 if is_public else 401)
    assert page.headers["content-type"].startswith("text/html")
    assert "docs/docs.js" in page.text
    assert "test" not in page.text.replace("text", "")  # the solution's name
    assert httpx.get(f"{service.url}/docs/docs.js").status_code == 200
    described = httpx.get(f"{service.url}/openapi.json")
    assert described.status_code == (200 if is_public else 401)
    if not is_public:
        assert httpx.get(f"{service.url}/docs").json()["error"]["code"] == "401"
        assert page.headers["www-authenticate"] == "Bearer"
