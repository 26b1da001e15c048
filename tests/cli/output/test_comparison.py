"""A comparison in lines says in words why the gate passes or holds a candidate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alo.cli.output.comparison import comparison_lines
from alo.gate.comparison import ComparedRow, Comparison, compare
from alo.gate.verdict import GateSettings, Judged

LAX = GateSettings(min_rows=1, max_loss=0.9)


def of(rows: int = 4, wrong: int = 0, settings: GateSettings = LAX) -> Comparison:
    given = [
        ComparedRow(record=f"r:{n}", label="a", old="a", new="b" if n < wrong else "a")
        for n in range(rows)
    ]
    return compare(given, settings, old_run="old", new_run="new")


def test_what_passes_has_the_bound_next_to_what_may_be_lost() -> None:
    *lines, verdict, why = comparison_lines(of())

    assert [line.split()[0] for line in lines] == ["before", "candidate", "difference"]
    assert verdict == "the gate: pass"
    assert why == (
        "  with 95% certainty the difference is at least -40.3%, and max_loss lets -90.0% pass"
    )


def test_rows_that_changed_are_listed_before_the_verdict() -> None:
    lines = list(comparison_lines(of(wrong=1)))

    assert "  r:0: a; before a, now b" in lines
    assert "the gate: held: no_gain" in lines
    assert "  no_gain: the difference is -25.0%, and min_gain is 0.0%" in lines


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("too_few_rows", "4 test rows, and min_rows is 1"),
        ("not_shown_no_worse", "with 95% certainty the difference is at least -40.3%, and"),
        ("slice_worse: site=B", "worse by more than slice_max_loss, 5.0%, and not by chance"),
        ("test_in_training", "2 test rows are in the train data of one of the two models"),
        ("rows_unanswered", "no answer to 3 test rows"),
        ("candidate_failed", "its inference fails on the test rows"),
    ],
)
def test_each_reason_is_said_in_words(reason: str, words: str) -> None:
    held = Judged(verdict="held", reasons=[reason])

    lines = list(comparison_lines(replace(of(), judged=held, in_training=2, unanswered=3)))

    assert lines[-1].startswith(f"  {reason}: {words}")


def test_without_any_answer_to_compare_the_verdict_is_still_said() -> None:
    lines = list(comparison_lines(of(rows=0)))

    assert any(line.startswith("the gate: held: ") for line in lines)
