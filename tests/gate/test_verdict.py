"""The gate: what it lets pass, what it holds, and what it says is missing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.estimates.paired import Paired
from alo.gate.verdict import GateSettings, Judged, Slice, judge, rows_to_show, worse_slices

LAX = GateSettings()


def verdict(rows: int, only_old: int, only_new: int, **changes: object) -> Judged:
    fields: dict[str, object] = {"rows": rows, **changes}
    settings = fields.pop("settings", LAX)
    slices = fields.pop("slices", [])
    return judge(Paired(rows, only_old, only_new), slices, settings, **fields)  # type: ignore[arg-type]


def test_an_identical_candidate_passes_with_133_rows_and_not_before() -> None:
    assert verdict(133, 0, 0) == Judged(verdict="pass", reasons=[])

    held = verdict(132, 0, 0)
    assert (held.reasons, held.needed, held.needed_reviews) == (["not_shown_no_worse"], 1, 5)


def test_too_few_rows_are_too_few_however_good_the_candidate_is() -> None:
    held = verdict(49, 0, 10)

    assert (held.verdict, held.reasons, held.needed) == ("held", ["too_few_rows"], 1)


def test_a_candidate_that_is_worse_is_held_and_no_number_of_rows_would_help() -> None:
    held = verdict(200, 20, 4)

    assert held.reasons == ["not_shown_no_worse", "no_gain"]
    assert held.needed == 0


def test_without_a_gain_it_is_held_where_one_is_asked_for() -> None:
    settings = GateSettings(min_gain=0.05)

    assert verdict(300, 0, 9, settings=settings).reasons == ["no_gain"]
    assert verdict(300, 0, 15, settings=settings).verdict == "pass"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"unanswered": 1}, "rows_unanswered"), ({"in_training": 1}, "test_in_training")],
)
def test_a_test_that_proves_nothing_holds_it(changes: dict[str, int], reason: str) -> None:
    assert verdict(300, 0, 5, **changes).reasons == [reason]


def slice_of(name: str, rows: int, only_old: int, only_new: int = 0) -> Slice:
    return Slice(
        name=name,
        rows=rows,
        only_old_right=only_old,
        only_new_right=only_new,
        is_looked_at=rows >= LAX.slice_min_rows,
    )


def test_a_slice_that_surely_loses_holds_it_and_is_named() -> None:
    slices = [slice_of("site=A", 100, 2), slice_of("site=B", 40, 8)]

    assert verdict(300, 10, 12, slices=slices).reasons == [
        "not_shown_no_worse",
        "slice_worse: site=B",
    ]


def test_a_loss_that_chance_explains_or_a_small_slice_is_none() -> None:
    slices = [slice_of("a=1", 30, 3, 1), slice_of("a=2", 29, 12), slice_of("a=3", 400, 12)]

    assert worse_slices(slices, LAX) == []


def test_ten_good_slices_rarely_hold_a_good_candidate_together() -> None:
    # Of ten slices with two losses each and no gain: one alone would be refused at 5 % by chance.
    slices = [slice_of(f"a={n}", 30, 3, 0) for n in range(10)]

    assert worse_slices(slices, LAX) == []


@given(
    rows=st.integers(1, 400),
    shares=st.tuples(st.floats(0, 0.3), st.floats(0, 0.3)),
    max_loss=st.floats(0.005, 0.2),
)
def test_with_the_rows_that_are_said_to_be_needed_it_is_shown(
    rows: int, shares: tuple[float, float], max_loss: float
) -> None:
    counts = Paired(rows, rows * shares[0], rows * shares[1])
    settings = GateSettings(max_loss=max_loss)

    needed = rows_to_show(counts, settings)

    if needed:
        scaled = Paired(needed, needed * shares[0], needed * shares[1])
        assert judge(scaled, [], settings, rows=needed).reasons in ([], ["no_gain"],
            ["too_few_rows"], ["too_few_rows", "no_gain"])  # fmt: skip
    else:
        assert shares[1] - shares[0] <= -max_loss + 1e-6 or needed == 0


def test_no_rows_at_all_are_held_with_the_number_that_decides() -> None:
    held = judge(Paired(0, 0, 0), [], LAX, rows=0)

    assert held.reasons == ["too_few_rows", "not_shown_no_worse"]
    assert held.needed == 133
    assert held.needed_reviews == math.ceil(133 / 0.2)
