from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.events.envelope import NAMES, Envelope, envelope_listener, event_of, time_text
from alo.events.types import Event, LogLine, Output, RunFinished, StepFinished, StepStarted
from alo.history.ids import utc_text

from .test_types import EXAMPLES

EXAMPLE = Envelope("20260101T000000Z-00000001-x", "train", 7, 1.5, StepStarted("a", 1, 2))


def test_an_envelope_is_one_line_of_json() -> None:
    assert EXAMPLE.to_json() == (
        b'{"run_id": "20260101T000000Z-00000001-x", "pipeline": "train", "sequence": 7, '
        b'"time": "1970-01-01T00:00:01.500000Z", "event": "step_started", '
        b'"payload": {"step": "a", "number": 1, "total": 2}}\n'
    )


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_has_a_name_and_comes_back_as_it_was(event: Event) -> None:
    stored = json.loads(EXAMPLE._replace(event=event).to_json())

    assert stored["event"] == NAMES[type(event)]
    assert stored["payload"].keys() == set(event._fields)
    assert event_of(stored["event"], stored["payload"]) == event


def test_names_are_reported_apart() -> None:
    assert len(set(NAMES.values())) == len(NAMES) == len(EXAMPLES)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_line_and_comes_back(text: str) -> None:
    line = EXAMPLE._replace(event=Output("stdout", text)).to_json()

    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8"))["payload"]["text"] == text


def test_what_json_does_not_know_is_written_as_text() -> None:
    event = RunFinished("id", "train", "error", 1.0, {"result": object}, "", "")

    stored = json.loads(EXAMPLE._replace(event=event).to_json())

    assert stored["payload"]["summary"] == {"result": "<class 'object'>"}


@pytest.mark.parametrize("moment", [0.0, 1.9999996, 1_714_910_400.123, 1_714_910_400.9])
def test_times_are_iso_8601_in_utc(moment: float) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time_text(moment))
    assert time_text(moment) == utc_text(moment)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("later", {}),
        (7, {}),
        ("output", []),
        ("output", {"stream": "stdout"}),
        ("output", {"stream": "stdout", "text": 7}),
        ("step_started", {"step": "a", "number": True, "total": 2}),
        ("step_started", {"step": "a", "number": "1", "total": 2}),
        ("run_started", {"run_id": "", "pipeline": "", "steps": [1], "solution": ""}),
        ("run_started", {"run_id": "", "pipeline": "", "steps": "ab", "solution": ""}),
        ("progress", {"task": "", "done": 1, "total": 1.5, "unit": ""}),
    ],
)
def test_what_is_no_event_of_ours_is_none(name: object, payload: object) -> None:
    assert event_of(name, payload) is None


def test_fields_of_a_later_version_are_passed_over_and_numbers_may_be_whole() -> None:
    stored = json.loads(EXAMPLE._replace(event=EXAMPLES[3]).to_json())["payload"]

    event = event_of("step_finished", {**stored, "seconds": 1, "later": "x"})

    assert isinstance(event, StepFinished)
    assert event.seconds == 1


def test_a_listener_is_reported_in_envelopes_only_if_it_asks_for_them() -> None:
    events: list[Event] = []
    envelopes: list[Envelope] = []

    class Asking:
        def __call__(self, event: Event) -> None:
            raise AssertionError(event)

        def of_run(self, envelope: Envelope) -> None:
            envelopes.append(envelope)

    envelope_listener(events.append)(EXAMPLE)
    envelope_listener(Asking())(EXAMPLE)

    assert events == [EXAMPLE.event]
    assert envelopes == [EXAMPLE]


def test_a_log_line_is_whole() -> None:
    line = LogLine(1.25, "USER", "INFO", "asset_a.py", 42, "run", "text", True)

    stored = json.loads(EXAMPLE._replace(event=line).to_json())["payload"]

    assert stored == line._asdict()
