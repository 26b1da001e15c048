from __future__ import annotations

from alo.loop.kept_lately import KeptLately


def test_what_was_not_asked_for_longest_goes_first() -> None:
    kept = KeptLately[str, str](3)
    for key in "abc":
        kept.keep(key, key.upper())
    kept.get("a")

    assert kept.keep("d", "D") == "D"

    assert [kept.get(key) for key in "abcd"] == ["A", None, "C", "D"]


def test_no_more_is_kept_than_may_weigh_so_much() -> None:
    kept = KeptLately[str, str](10)
    kept.keep("a", "A", 4)
    kept.keep("b", "B", 4)

    kept.keep("c", "C", 5)

    assert [kept.get(key) for key in "abc"] == [None, "B", "C"]


def test_what_weighs_too_much_alone_is_not_kept() -> None:
    kept = KeptLately[str, str](10)

    assert kept.keep("a", "A", 11) == "A"

    assert kept.get("a") is None
