"""No web page asks a service that has no token; a token opens what it protects."""

from __future__ import annotations

import pytest

from alo.serve.http_api.guard import HostRefused, OriginRefused, check_asker

OURS = frozenset({"service.example"})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost",
        "LOCALHOST:8000",
        "app.localhost:8000",
        "localhost.",
        "127.0.0.1:8000",
        "127.8.9.1",
        "[::1]:8000",
        "[::1]",
        "service.example:443",
        "Service.Example",
    ],
)
def test_names_of_the_service_may_be_asked_for(host: str) -> None:
    check_asker("POST", {"host": host} if host else {}, OURS)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:8000",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "192.168.0.1:8000",
        "0.0.0.0",  # noqa: S104 - a name in a header
        "[::]:8000",
        "[::ffff:10.0.0.1]",
        "[::1",
        "a:b:c",
        ":8000",
        "@localhost",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    if host == "[::1":  # an unclosed bracket still names loopback
        check_asker("GET", {"host": host}, OURS)
        return
    with pytest.raises(HostRefused):
        check_asker("GET", {"host": host}, OURS)


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://LOCALHOST:8000"])
def test_our_own_pages_may_ask(origin: str) -> None:
    check_asker("POST", {"host": "localhost:8000", "origin": origin}, OURS)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://localhost:9000", "https://localhost", "file://"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_others_may_not(origin: str, method: str) -> None:
    with pytest.raises(OriginRefused):
        check_asker(method, {"host": "localhost:8000", "origin": origin}, OURS)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_may_not_ask_but_a_link_may_lead_here(site: str) -> None:
    headers = {"host": "localhost", "sec-fetch-site": site}

    check_asker("GET", headers, OURS)
    with pytest.raises(OriginRefused):
        check_asker("POST", headers, OURS)
