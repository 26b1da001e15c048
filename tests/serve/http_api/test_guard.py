"""No web page asks a server of ours, by another name or from another site; a script may."""

from __future__ import annotations

import pytest

from alo.serve.http_api.guard import ForeignAskerError, Proof, check_host, check_origin, own_names

OURS = own_names("127.0.0.1", ["Service.example", "other.example:8000"])
PAGE = {"host": "localhost:8000", "origin": "http://localhost:8000"}
FOREIGN = [
    "http://evil.example",
    "null",
    "",
    "http://localhost:9000",
    "https://localhost",
    "file://",
]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "app.localhost:8000",
        "localhost.",
        "127.0.0.1:8000",
        "127.8.9.1",
        "[::1]:8000",
        "[::1]",
        "[::1",  # an unclosed bracket still names loopback
        "service.example:443",
        "Service.Example",
        "other.example",
    ],
)
def test_names_of_the_server_may_be_asked_for(host: str) -> None:
    check_host({"host": host}, OURS)


def test_a_probe_that_is_older_than_the_header_may_ask() -> None:
    check_host({}, OURS)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example:8000",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "192.168.0.1:8000",
        "0.0.0.0",  # noqa: S104 - a name in a header
        "[::]:8000",
        "[::ffff:10.0.0.1]",
        "a:b:c",
        ":8000",
        "@localhost",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(ForeignAskerError) as refused:
        check_host({"host": host}, OURS)
    assert (refused.value.status, refused.value.limit) == (421, "host")
    assert "--allowed-host" in refused.value.fix


@pytest.mark.parametrize("listens_on", ["0.0.0.0", "::"])  # noqa: S104 - what is tested
def test_where_it_listens_on_all_addresses_each_is_its_own_and_no_further_name(
    listens_on: str,
) -> None:
    ours = own_names(listens_on, [])

    for address in ("10.1.2.3:8000", "[fd00::7]:8000", "[fd00::7]", "0.0.0.0:8000"):
        check_host({"host": address}, ours)
    for name in ("evil.example", "10.1.2.3.evil.example", "pod", "1.2.3", ""):
        with pytest.raises(ForeignAskerError):
            check_host({"host": name}, ours)


def test_an_address_that_it_listens_on_is_its_own() -> None:
    check_host({"host": "10.1.2.3:8000"}, own_names("10.1.2.3", []))
    with pytest.raises(ForeignAskerError):
        check_host({"host": "10.1.2.4:8000"}, own_names("10.1.2.3", []))


@pytest.mark.parametrize("proof", Proof)
def test_our_own_pages_may_ask(proof: Proof) -> None:
    check_origin("POST", PAGE, proof)
    check_origin("POST", {**PAGE, "origin": "http://LOCALHOST:8000"}, proof)
    check_origin("POST", {**PAGE, "sec-fetch-site": "same-origin"}, proof)


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("origin", FOREIGN)
def test_pages_of_others_may_change_nothing_whatever_they_show(origin: str, proof: Proof) -> None:
    with pytest.raises(ForeignAskerError) as refused:
        check_origin("POST", {**PAGE, "origin": origin}, proof)
    assert (refused.value.status, refused.value.limit) == (403, "origin")


@pytest.mark.parametrize("proof", Proof)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_may_not_ask_but_a_link_may_lead_here(
    site: str, proof: Proof
) -> None:
    check_origin("GET", {"host": "localhost", "sec-fetch-site": site}, proof)
    for headers in ({"host": "localhost"}, PAGE):
        with pytest.raises(ForeignAskerError):
            check_origin("POST", {**headers, "sec-fetch-site": site}, proof)


@pytest.mark.parametrize("origin", FOREIGN)
def test_pages_of_others_may_read_where_something_else_says_who_asks(origin: str) -> None:
    headers = {**PAGE, "origin": origin}

    check_origin("GET", headers, Proof.SESSION)
    check_origin("GET", headers, Proof.TOKEN)
    with pytest.raises(ForeignAskerError):
        check_origin("GET", headers, Proof.NOTHING)


def test_a_script_needs_no_origin_but_a_cookie_does() -> None:
    check_origin("POST", {"host": "localhost"}, Proof.TOKEN)
    check_origin("POST", {"host": "localhost"}, Proof.NOTHING)
    with pytest.raises(ForeignAskerError):
        check_origin("POST", {"host": "localhost"}, Proof.SESSION)
