"""The keys of ``review``, in both forms, and what is refused of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from alo.errors import PlanError
from alo.plan.model import Gate, Plan, ReviewLabel, ReviewPlan, Truth
from alo.plan.render import render_plan
from alo.plan.schema import plan_schema

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]
STEPS = "user_parameters: {inference_pipeline: [{step: a}]}\n"
WHOLE = """review:
  unit: row
  prediction: verdict
  probabilities: {malignant: p}
  key: patient
  image: file
  label: diagnosis
  truth: {layout: csv, file: labels.csv, path: file}
  labels: [benign, {name: malignant, key: m, colour: "#ff0000"}]
  slices: [site]
  gate: {min_rows: 10, max_loss: 0.1}
"""


def test_a_whole_section_is_read(load: LoadText) -> None:
    assert load(STEPS + WHOLE).review == ReviewPlan(
        unit="row",
        prediction="verdict",
        probabilities={"malignant": "p"},
        key="patient",
        image="file",
        label="diagnosis",
        truth=Truth("csv", "labels.csv", "file"),
        labels=(ReviewLabel("benign"), ReviewLabel("malignant", "m", "#ff0000")),
        slices=("site",),
        gate=Gate(min_rows=10, max_loss=0.1),
    )


def test_both_forms_say_the_same(load: LoadText) -> None:
    items = (
        "review:\n- key: patient\n- probabilities: [{a: pa}, {b: pb}]\n- gate: [{min_rows: 5}]\n"
    )
    mapping = "review: {key: patient, probabilities: {a: pa, b: pb}, gate: {min_rows: 5}}"

    found = load(STEPS + items).review

    assert found is not None
    assert found == load(STEPS + mapping).review
    assert (found.probabilities, found.gate.min_rows) == ({"a": "pa", "b": "pb"}, 5)


def test_without_one_there_is_none_and_an_empty_one_has_the_usual_values(load: LoadText) -> None:
    assert load(STEPS).review is None
    assert load(f"{STEPS}review: {{}}").review == ReviewPlan()


def test_what_is_rendered_is_read_back(load: LoadText) -> None:
    plan = load(STEPS + WHOLE)

    assert load(render_plan(plan, ())).review == plan.review


@pytest.mark.parametrize(
    ("review", "told_of_it"),
    [
        ("{unit: column}", "2:16  review.unit  expected one of row, request"),
        ("{predicton: x}", "review.predicton  unknown key 'predicton'; did you mean"),
        ("{probabilities: {a: [1]}}", "review.probabilities.a  expected the name of a column"),
        ("{certainty: c, probabilities: {a: p}}", "review.certainty  there are probabilities, too"),
        ("{truth: {layout: csv}}", "review.truth  it is of pictures"),
        ("{image: f, truth: {layout: csv, path: f}}", "the layout csv needs 'file'"),
        ("{image: f, truth: {layout: csv, file: f}}", "the layout csv needs 'path'"),
        ("{image: f, truth: {layout: odd}}", "review.truth.layout  expected one of csv, folders"),
        ("{labels: a}", "review.labels  expected a list of labels"),
        ("{labels: [a, a]}", "review.labels  'a' is there more than once"),
        ("{labels: [[a]]}", "review.labels[0]  expected a label"),
        ("{labels: [{key: a}]}", "name"),
        ("{labels: [{name: a, key: xy}]}", "the key 'xy' is not one letter"),
        ("{labels: [b, {name: a, key: s}]}", "2:37  review.labels[1].key  the key 's'"),
        ("{labels: [{name: a, key: '0'}]}", "the key '0' is a digit"),
        ("{labels: [{name: a, key: b}, {name: b, key: b}]}", "'b' is given to more than one label"),
        ("{gate: {max_loss: 2}}", "review.gate.max_loss  expected a number"),
        ("{gate: {min_rows: 1.5}}", "review.gate.min_rows  expected a"),
    ],
)
def test_what_makes_no_sense_is_reported_with_its_place(
    reported: Told, review: str, told_of_it: str
) -> None:
    assert any(told_of_it in line for line in reported(f"{STEPS}review: {review}"))


HOSTILE = (
    "5", "-1", "1.5", "1e999", ".nan", "true", "null", "''", "[]", "{}", "[[]]", "[{}]", "[[[[]]]]",
    "{a: {b: c}}", '"a\\0b"', '"\\ud800"', "!!binary aGk=", "!!set {a}", "2026-01-01", "&x [*x]",
    "{? [a] : b}", "{5: 6}", "[5, true, null]", "{name: {name: a}}", "[{name: [a], key: {a: b}}]",
)  # fmt: skip
KEYS = (
    "unit", "prediction", "probabilities", "certainty", "key", "image", "label", "truth", "labels",
    "slices", "gate", "gate.min_rows", "gate.max_loss", "truth.layout", "truth.file",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_whatever_a_key_holds_is_taken_or_refused_with_its_place(load: LoadText, key: str) -> None:
    outer, _, inner = key.partition(".")
    refused = 0
    for value in HOSTILE:
        text = f"{outer}: {{{inner}: {value}}}" if inner else f"{outer}: {value}"
        try:
            load(f"{STEPS}review:\n  {text}\n")
        except PlanError as error:
            refused += 1
            for each in error.problems:
                assert each.line >= 2, (text, str(each))
    assert refused > len(HOSTILE) / 2


@pytest.mark.parametrize("value", HOSTILE)
def test_whatever_is_in_its_place_is_a_review_or_refused(load: LoadText, value: str) -> None:
    with suppress(PlanError):
        assert isinstance(load(f"{STEPS}review: {value}\n").review, ReviewPlan | None)


def test_a_key_that_is_there_twice_and_an_anchor_are_taken_as_everywhere_in_a_plan(
    load: LoadText, reported: Told
) -> None:
    twice = reported(f"{STEPS}review: {{key: a, key: b}}")
    shared = load(f"{STEPS}review: {{slices: &s [site], labels: *s}}").review

    assert any("key" in each and each.startswith("2:") for each in twice)
    assert shared is not None
    assert (shared.slices, [each.name for each in shared.labels]) == (("site",), ["site"])


def test_lists_without_end_are_refused_and_quickly(reported: Told) -> None:
    labels = ", ".join(f"l{at}" for at in range(20_000))

    assert any(
        "review.labels" in each for each in reported(f"{STEPS}review: {{labels: [{labels}]}}")
    )


def test_the_schema_for_editors_has_the_section() -> None:
    schema = plan_schema()
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert "review" in properties
