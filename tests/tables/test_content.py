"""Content ids: the same case is known again, another one never taken for it."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from alo.tables.content import content_over, picture_content, row_content

ROWS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1, max_size=6)


@given(row=ROWS, seed=st.integers())
def test_the_order_of_columns_does_not_matter(row: dict[str, str], seed: int) -> None:
    names = list(row)
    random.Random(seed).shuffle(names)  # noqa: S311

    assert row_content(names)([row[name] for name in names]) == row_content(list(row))(
        list(row.values())
    )


@given(one=ROWS, other=ROWS)
def test_two_cases_have_one_id_only_if_they_are_the_same(
    one: dict[str, str], other: dict[str, str]
) -> None:
    ids = [row_content(list(row))(list(row.values())) for row in (one, other)]

    assert (ids[0] == ids[1]) == (one == other)


def test_a_table_that_has_more_columns_knows_a_case_again() -> None:
    case = row_content(["a", "b"])(["1", ""])

    of = content_over(["a", "b"], ["label", "b", "a"])

    assert of is not None
    assert of(["yes", "", "1"]) == case
    assert of(["no", "2", "1"]) != case
    assert of(["yes", "2"]) == row_content(["a", "b"])(["", "2"])  # a row that ends early
    assert content_over(["a", "b"], ["label", "b"]) is None


def test_values_with_separators_are_not_mistaken_for_others() -> None:
    of = row_content(["a", "b"])

    assert of(["1\x1f2", ""]) != of(["1", "2\x1f"])
    assert len({of(["\x1f", ""]), of(["", "\x1f"]), of(["", ""])}) == 3


def test_the_label_is_no_part_of_a_case_and_the_key_is() -> None:
    of = row_content(["key", "x", "label"], label="label")

    assert of(["1", "2", "good"]) == of(["1", "2", "bad"]) == row_content(["x", "key"])(["2", "1"])
    assert of(["1", "2", ""]) != of(["3", "2", ""])


def test_a_short_row_has_empty_values() -> None:
    assert row_content(["a", "b"])(["1"]) == row_content(["a", "b"])(["1", ""])


def test_pictures_are_known_by_their_bytes() -> None:
    assert picture_content(b"x") == picture_content(b"x") != picture_content(b"y")
