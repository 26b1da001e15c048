"""The definition of a sweep: read as it was written; and what two of them do not share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alo.batch.sweep.definition import (
    Definition,
    Metric,
    changed_ids,
    differences,
    domain_of,
    parse_metric,
    pipelines_of,
)
from alo.batch.sweep.space import Choices, Param, SpecError, parse_spec

ONE = Definition(
    name="one",
    params=(
        Param("train", "train", "depth", parse_spec("2..20")),
        Param("train", "train", "model.rate", parse_spec("1e-4..0.1@log")),
        Param("inference", "infer", "kind", Choices(("a", [1, {"b": None}]))),
        Param("train", "train", "half", parse_spec("0.5..2.5:0.5")),
    ),
    metrics=(Metric("score"), Metric("a:b", "min")),
    sampler="tpe",
    seed=3,
    mode="all",
    repeats=2,
    seed_arg="train.seed",
    overrides=("train.x=1",),
    ids={"data_id": "d", "code_id": "c"},
    created="2026-01-01T00:00:00.000000Z",
)


def test_a_definition_is_read_as_it_was_written() -> None:
    import json

    assert Definition.from_json(json.loads(json.dumps(ONE.to_json()))) == ONE


def test_a_metric_may_have_a_direction() -> None:
    assert parse_metric("loss:min") == Metric("loss", "min")
    assert parse_metric("probability.a:b") == Metric("probability.a:b", "max")
    with pytest.raises(SpecError):
        parse_metric(":min")


def test_bounds_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(SpecError, match="have to be numbers"):
        domain_of({"range": [1, "b"]})


def test_what_differs_is_told_with_both() -> None:
    other = replace(ONE, seed=4, params=ONE.params[:1], name="two", ids={})
    reported = list(differences(ONE, other))
    assert "seed: 3 → 4" in reported
    assert any(each.startswith("params train.half: ") for each in reported)
    assert not any("name" in each or "ids" in each for each in reported)
    assert list(differences(ONE, ONE)) == []


def test_data_and_code_that_changed_are_named() -> None:
    assert changed_ids(ONE, {"data_id": "d", "code_id": "other"}) == ["code_id"]
    assert changed_ids(ONE, ONE.ids) == []


def test_a_trial_runs_the_train_pipeline_or_both_in_their_order() -> None:
    assert pipelines_of("train") == ("train",)
    assert pipelines_of("all") == ("train", "inference")
