"""What tests a model is never learned from, in no version."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from alo.datasets.rows import ReviewedRow
from alo.datasets.split import places, split_rows

from .conftest import make_row


def contents(rows: Sequence[ReviewedRow]) -> set[str]:
    return {row.content for row in rows}


def test_about_the_share_of_the_random_rows_tests_and_no_other_row() -> None:
    rows = [make_row(n, source="random" if n % 2 else "uncertain") for n in range(2000)]

    split = split_rows(rows, "patients", 0.2, frozenset())

    assert 150 < len(split.test) < 250
    assert {row.source for row in split.test} == {"random"}
    assert len(split.test) + len(split.train) == 2000


@given(
    first=st.sets(st.integers(0, 60)),
    more=st.sets(st.integers(0, 60)),
    share=st.floats(0, 1),
    sources=st.lists(st.sampled_from(["random", "picked"]), min_size=61, max_size=61),
)
def test_a_case_that_tested_is_never_learned_from_later(
    first: set[int], more: set[int], share: float, sources: list[str]
) -> None:
    one = split_rows([make_row(n) for n in first], "d", share, frozenset())
    tested = frozenset(contents(one.test))

    rows = [make_row(n, source=sources[n]) for n in more]
    two = split_rows(rows, "d", share, tested)

    assert not contents(two.train) & tested
    assert contents(two.test) & contents(one.train) == set()
    left_out = sum(two.left_out.values())
    assert len(two.train) + len(two.test) + left_out == len(rows)


def test_another_data_set_chooses_other_rows() -> None:
    rows = [make_row(n) for n in range(200)]

    tests = [contents(split_rows(rows, name, 0.2, frozenset()).test) for name in ("a", "b")]

    assert tests[0] != tests[1]
    assert all(0 <= places("a")(row.content) < 1 for row in rows)


def test_a_case_that_was_labelled_in_two_ways_is_left_out() -> None:
    rows = [make_row(1, "good"), make_row(1, "bad", record="other:1"), make_row(2)]

    split = split_rows(rows, "d", 0.0, frozenset())

    assert contents(split.train) == {make_row(2).content}
    assert split.left_out == {"conflict": 2}


def test_the_same_case_twice_is_one_row_and_the_random_one_stands_for_it() -> None:
    rows = [make_row(1, source="picked", record="a:1"), make_row(1, record="b:1")]

    split = split_rows(rows, "d", 1.0, frozenset())

    assert [row.record for row in split.test] == ["b:1"]
    assert split.left_out == {"the same case as another": 1}
