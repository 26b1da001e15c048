"""One summary of those of the shards."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Mapping, Sequence

from alo.batch.shards.result import Manifest
from alo.plan.model import Aggregate
from alolib.summary import EXACT_SCORE, LONGEST_NOTE, make_summary


def summary_of(
    manifests: Sequence[Manifest], how: Aggregate, notes: Sequence[str], *, called: str = "shards"
) -> dict[str, object]:
    """The summary of all, as ``save_summary`` stores one, with the exact score beside it.

    Args:
        manifests: of the shards that are done, in their order; one at least.
        notes: what the summary's note says, the most important first.
        called: what the manifests are of: shards, or the parts that some were split into.
    """
    score = score_of(manifests, how)
    summary = make_summary("", score, "", _probability(manifests))
    return {
        **summary,
        "result": result_of(manifests, how, called),
        "note": _note(notes),
        EXACT_SCORE: score,
    }


def score_of(manifests: Sequence[Manifest], how: Aggregate) -> float:
    """One score of those of the shards."""
    scores = [each.score for each in manifests]
    if how.score != "mean":
        return min(scores) if how.score == "min" else max(scores)
    weights = _weights(manifests)
    mean = math.fsum(map(operator.mul, scores, weights)) / sum(weights)
    return min(max(mean, min(scores)), max(scores))  # whatever adding fractions is off


def _weights(manifests: Sequence[Manifest]) -> Sequence[int]:
    """Rows, or files; all alike where there are none at all."""
    weights = [each.weight for each in manifests]
    return weights if any(weights) else [1] * len(weights)


def result_of(manifests: Sequence[Manifest], how: Aggregate, called: str) -> str:
    """One result of those of the shards, or of the parts that some were split into."""
    counted: Counter[str] = Counter()
    for each, weight in zip(manifests, _weights(manifests), strict=True):
        counted[each.result] += weight
    if len(counted) == 1 or how.result == "most":
        return counted.most_common(1)[0][0]  # of equal ones the first
    return f"{len(manifests)} {called}, {len(counted)} results"


def _probability(manifests: Sequence[Manifest]) -> Mapping[str, float]:
    weighted = [
        (each.probability, weight)
        for each, weight in zip(manifests, _weights(manifests), strict=True)
        if each.probability
    ]
    total = sum(weight for _, weight in weighted)
    if not total:
        return weighted[0][0] if weighted else {}
    names = dict.fromkeys(name for each, _ in weighted for name in each)
    return {
        name: sum(each.get(name, 0.0) * weight for each, weight in weighted) / total
        for name in names
    }


def _note(notes: Sequence[str]) -> str:
    note = "; ".join(notes)
    return note if len(note) <= LONGEST_NOTE else f"{note[: LONGEST_NOTE - 1]}…"
