"""Which hosts and pages may ask."""

from __future__ import annotations

import pytest

from alo.ui.access.origins import check_host, check_origin
from alo.ui.problems import UiProblem

OURS = {"host": "127.0.0.1:8811", "origin": "http://127.0.0.1:8811"}


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8811", "Studio.example:80"])
def test_names_of_ours_are_taken(host: str) -> None:
    check_host({"host": host}, {"studio.example"})


@pytest.mark.parametrize("host", ["", "evil.example", "localhost.evil.example", "127.0.0.1.x"])
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(UiProblem) as told:
        check_host({"host": host}, set())
    assert told.value.status == 421


def test_our_own_pages_and_scripts_with_a_token_may_change_something() -> None:
    check_origin("POST", OURS, has_session=True)
    check_origin("POST", {**OURS, "sec-fetch-site": "same-origin"}, has_session=True)
    check_origin("POST", {"host": "127.0.0.1"}, has_session=False)
    check_origin("GET", {"host": "x", "origin": "http://evil.example"}, has_session=True)


@pytest.mark.parametrize(
    "headers", [{"origin": "null"}, {"origin": "http://evil"}, {"sec-fetch-site": "cross-site"}]
)
def test_a_token_does_not_help_a_page_elsewhere(headers: dict[str, str]) -> None:
    with pytest.raises(UiProblem):
        check_origin("POST", {"host": "127.0.0.1:8811", **headers}, has_session=False)
