"""The state of a page is its URL."""

from __future__ import annotations

import pytest

from alo.ui.problems import UiError
from alo.ui.query import Query, active


def query(*pairs: tuple[str, str]) -> Query:
    return Query("/runs", pairs)


def test_a_link_changes_one_thing_and_begins_at_the_first_page() -> None:
    asked = query(("q", "a b"), ("param", "t.x=1"), ("param", "t.y=2"), ("page", "k"))

    assert asked.link(sort="-score") == "/runs?q=a+b&param=t.x%3D1&param=t.y%3D2&sort=-score"
    assert asked.link(q=None, param=None) == "/runs"
    assert asked.link(page="n").endswith("&page=n")


def test_the_whole_list_has_the_filters_of_its_page() -> None:
    asked = query(("q", "a b"), ("page", "k"), ("limit", "5"), ("run", "selected"))

    assert asked.as_csv() == "/runs.csv?q=a+b"
    assert asked.as_csv(for_spreadsheet=True) == "/runs.csv?q=a+b&for=spreadsheet"
    assert query().as_csv() == "/runs.csv"


def test_each_filter_can_be_removed_alone() -> None:
    shown = active(query(("param", "t.x=1"), ("param", "t.y=2"), ("sort", "id")), {"param": "arg"})

    assert [(each.value, each.remove) for each in shown] == [
        ("t.x=1", "/runs?sort=id&param=t.y%3D2"),
        ("t.y=2", "/runs?sort=id&param=t.x%3D1"),
    ]


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 30, "\u0661"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UiError) as reported:
        query(("limit", text)).number("limit", 50, 1, 500)
    assert reported.value.status == 422


def test_what_a_page_does_not_know_or_has_twice_is_refused() -> None:
    with pytest.raises(UiError):
        query(("statsu", "error")).allow("status")
    with pytest.raises(UiError):
        query(("status", "a"), ("status", "b")).one("status")
    query(("lang", "ko")).allow()
