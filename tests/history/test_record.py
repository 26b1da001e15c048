"""A record written as JSON and read back, whatever happened to it in between."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.history.record import Attempt, RunRecord, StepRecord

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, json_values, max_size=3)
steps = st.builds(
    StepRecord,
    texts,
    texts,
    numbers,
    numbers,
    st.integers(0, 2**50),
    st.lists(texts, max_size=3).map(tuple),
)
records = st.builds(
    RunRecord,
    *[texts] * 4,
    data_id_description=objects,
    code_id_description=objects,
    args=st.dictionaries(texts, objects, max_size=3),
    arg_forms=st.dictionaries(texts, st.dictionaries(texts, texts, max_size=3), max_size=3),
    overrides=st.lists(texts, max_size=3).map(tuple),
    result=texts,
    score=st.none() | numbers,
    probability=st.dictionaries(texts, numbers, max_size=3),
    steps=st.lists(steps, max_size=3).map(tuple),
    seconds=numbers,
    packages=st.dictionaries(texts, texts, max_size=3),
    git=objects,
    sources=objects,
    metrics=st.dictionaries(texts, numbers, max_size=3),
    sweep=objects,
    attempts=st.lists(st.builds(Attempt, *[texts] * 4), max_size=3).map(tuple),
)


@given(records)
def test_a_record_survives_its_way_through_json(record: RunRecord) -> None:
    text = json.dumps(record.to_json(), allow_nan=False)

    assert RunRecord.from_json(json.loads(text)) == record


@given(json_values | st.dictionaries(st.sampled_from(RunRecord._fields), json_values))
def test_any_json_is_read_as_a_record_that_can_be_written_again(content: object) -> None:
    record = RunRecord.from_json(content)

    assert RunRecord.from_json(record.to_json()) == record


def test_unknown_keys_are_ignored_and_missing_ones_are_empty() -> None:
    record = RunRecord.from_json({"id": "a", "later": 1, "steps": [{"name": "train"}]})

    assert record.id == "a"
    assert record.score is None
    assert record.steps == (StepRecord("train", "", 0.0, 0.0, 0),)


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (float("nan"), "nan"),
        ((1, 2), [1, 2]),
        ({1: {"x"}}, {"1": "{'x'}"}),
        (b"x", "b'x'"),
    ],
)
def test_args_that_json_has_no_type_for_become_text(value: object, reported: object) -> None:
    record = RunRecord("a", "train", "success", "", args={"train": {"x": value}})

    assert record.to_json()["args"] == {"train": {"x": reported}}


@pytest.mark.parametrize("score", [True, "0.5", [], 10**400, float("inf")])
def test_a_score_that_is_no_number_does_not_come_through(score: object) -> None:
    record = RunRecord.from_json({"score": score, "result": "ok \ud800"})

    assert record.score in (None, 0.0)
    record.result.encode()
