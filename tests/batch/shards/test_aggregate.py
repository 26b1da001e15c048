"""One summary of many: means weighted by rows, and what the plan says instead."""

from __future__ import annotations

from typing import Any

import pytest

from alo.batch.shards.aggregate import summary_of
from alo.batch.shards.result import Manifest
from alo.plan.model import Aggregate


def shard(score: float, weight: int, result: str = "ok", **probability: float) -> Manifest:
    return Manifest(
        shard="1", rows=weight, weight=weight, input="", ids={}, run="", score=score,
        result=result, probability=probability, files={},
    )  # fmt: skip


def reported(*shards: Manifest, notes: list[str] | None = None, **how: str) -> dict[str, Any]:
    return summary_of(shards, Aggregate(**how), notes or ["note"])


def test_score_and_probability_are_means_weighted_by_rows() -> None:
    summary = reported(shard(0.2, 100, a=0.5, b=0.5), shard(0.6, 300, a=0.1, b=0.9))

    assert summary == {
        "result": "ok", "score": 0.5, "note": "note", "probability": {"a": 0.2, "b": 0.8},
        "exact_score": 0.5,
    }  # fmt: skip


def test_shards_without_rows_count_alike_and_one_without_classes_is_left_out() -> None:
    summary = reported(shard(0.2, 0, a=1.0), shard(0.4, 0))

    assert summary["exact_score"] == pytest.approx(0.3)
    assert summary["probability"] == {"a": 1.0}


@pytest.mark.parametrize(("how", "score"), [("min", 0.1), ("max", 0.9)])
def test_the_plan_may_want_the_worst_or_the_best_score(how: str, score: float) -> None:
    assert reported(shard(0.1, 9), shard(0.9, 1), score=how)["score"] == score


def test_results_that_differ_are_counted_or_that_of_most_rows_is_taken() -> None:
    shards = [shard(1, 1, "NG"), shard(1, 1, "NG"), shard(1, 5, "OK")]

    assert reported(*shards)["result"] == "3 shards, 2 results"
    assert reported(*shards, result="most")["result"] == "OK"
    of_parts = summary_of(shards, Aggregate(), ["note"], called="parts")
    assert of_parts["result"] == "3 parts, 2 results"


def test_a_note_never_makes_the_summary_invalid() -> None:
    assert len(reported(shard(1, 1), notes=["x" * 100, "y" * 100])["note"]) == 128


def test_scores_that_are_all_the_same_stay_so() -> None:
    assert reported(*[shard(0.1, 3) for _ in range(7)])["exact_score"] == 0.1
