from __future__ import annotations

import pytest

from alo.plan.suggest import did_you_mean, listed, nearest, quoted

KNOWN = ("n_estimators", "max_depth", "seed")


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("n_estimatrs", "n_estimators"),
        ("N-Estimators", "n_estimators"),
        ("max depth", "max_depth"),
        ("sed", "seed"),
        ("colour", ""),
        ("n_estimators" * 100, ""),
    ],
)
def test_the_nearest_word_is_found(word: str, near: str) -> None:
    assert nearest(word, KNOWN) == near


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("seeed", KNOWN, "did you mean 'seed'?"),
        ("colour", KNOWN, "there is n_estimators, max_depth, seed"),
        ("colour", (), "there is none"),
    ],
)
def test_a_hint_names_the_nearest_word_or_all(word: str, known: tuple[str, ...], hint: str) -> None:
    assert did_you_mean(word, known) == hint


def test_long_lists_are_cut() -> None:
    assert listed(str(n) for n in range(25)).endswith("18, 19 and 5 more")


@pytest.mark.parametrize(
    ("text", "shown"), [("a b", "'a b'"), ("a\nb", "'a\\nb'"), ("x" * 99, f"'{'x' * 57}...'")]
)
def test_a_quotation_is_one_short_line(text: str, shown: str) -> None:
    assert quoted(text) == shown
