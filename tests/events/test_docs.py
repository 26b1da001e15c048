"""``docs/reference/events.md`` and ``events.schema.json`` say what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from alo.events.envelope import NAMES, Envelope
from alo.events.types import Event

from .test_types import EXAMPLES

REFERENCE = Path(__file__).parents[2] / "docs/reference"
PAGE = (REFERENCE / "events.md").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads((REFERENCE / "events.schema.json").read_text("utf-8"))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_page_and_schema_name_every_event_and_no_other() -> None:
    names = set(NAMES.values())

    assert set(re.findall(r"^### `(\w+)`$", PAGE, re.M)) == names
    assert set(SCHEMA["$defs"]) == names
    assert set(SCHEMA["properties"]["event"]["enum"]) == names


@pytest.mark.parametrize("kind", NAMES, ids=NAMES.values())
def test_page_and_schema_name_every_key_in_its_order(kind: Any) -> None:
    name = NAMES[kind]
    section = PAGE.partition(f"### `{name}`")[2].partition("###")[0]

    assert re.findall(r"^\| `(\w+)`", section, re.M) == list(kind._fields)
    assert SCHEMA["$defs"][name]["required"] == list(kind._fields)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_every_event_is_as_the_schema_says(event: Event) -> None:
    stored = json.loads(Envelope("id", "train", 0, 0.0, event).to_json())

    Draft202012Validator(SCHEMA).validate(stored)
    for key in stored["payload"]:
        damaged = {**stored, "payload": {**stored["payload"], key: [{}]}}
        assert not Draft202012Validator(SCHEMA).is_valid(damaged), key
