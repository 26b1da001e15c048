"""However large an input is, a page shows a bounded part of it, and says so."""

from __future__ import annotations

from pathlib import Path

from alo.review.results.inputs import RecordInput
from alo.ui.rendering.cut_inputs import MOST_COLUMNS, ROOM, cut_input, cut_row


def given(*values: str, **more: object) -> RecordInput:
    columns = [f"c{at}" for at in range(len(values))]
    return RecordInput("r:0", columns, values, **more)  # type: ignore[arg-type]


def test_a_usual_input_is_whole() -> None:
    shown = cut_input(given("a", "b" * 5000))

    assert shown.values == [("c0", "a"), ("c1", "b" * 5000)]
    assert not shown.is_cut


def test_many_columns_and_long_values_are_cut() -> None:
    wide = cut_input(given(*["v"] * 5000))
    long = cut_input(given("a", "b" * 1_000_000))

    assert (len(wide.values), wide.left_out, wide.is_cut) == (MOST_COLUMNS, 4900, True)
    assert (long.left_out, long.is_cut) == (0, True)
    assert len(long.values[1][1]) == ROOM // 2
    assert long.values[1][1].endswith("b…")
    assert sum(len(value) for _, value in cut_input(given(*["v" * 999] * 5000)).values) <= ROOM


def test_of_many_files_the_first_are_named() -> None:
    files = {f"{at}.png": Path() for at in range(150)}

    shown = cut_input(RecordInput("r", files=files))

    assert (len(shown.files), shown.left_out, shown.is_cut) == (MOST_COLUMNS, 50, True)


def test_a_row_of_a_list_has_a_cell_for_each_column_of_the_list() -> None:
    assert cut_row(given("x", "y" * 500), ["c0", "c1"]) == ["x", f"{'y' * 299}…"]
    assert cut_row(given("x", "y"), ["c1", "other"]) == ["y", ""]
    assert cut_row(given(*["v" * 99] * 50), [f"c{at}" for at in range(50)])[0] == f"{'v' * 59}…"
