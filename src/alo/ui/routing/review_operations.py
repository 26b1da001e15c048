"""What the paths of reviews: their screens, and what is decided take and answer."""

from __future__ import annotations

from collections.abc import Mapping

from alo.ui.routing.operations import LIST, TEXT, Answer, Body, Parameter, Schema

DECISION: Schema = {
    "type": "object",
    "required": ["key", "record", "verdict"],
    "properties": {
        "key": {**TEXT, "description": "of the sender: what is sent again has the same"},
        "record": TEXT,
        "verdict": {"enum": ["accept", "change", "skip", "flag", "reset"]},
        "label": {"type": ["string", "null"], "description": "of change"},
        "note": {"type": ["string", "null"], "maxLength": 2000},
        "seen": {"type": ["integer", "null"], "description": "as the record's item has it"},
        "replace": {"type": "boolean", "description": "also what another has decided meanwhile"},
        "action": {**TEXT, "description": "those with the same are taken back together"},
    },
    "additionalProperties": False,
    "example": {
        "key": "0f1e2d3c",
        "record": "20260101T090000.000Z-churn:0",
        "verdict": "change",
        "label": "benign",
        "seen": None,
    },
}
RESULT: Schema = {
    "type": "object",
    "required": ["key", "record", "state", "why", "theirs", "seen"],
    "properties": {
        "key": TEXT,
        "record": TEXT,
        "state": {"enum": ["saved", "unchanged", "conflict", "refused"]},
        "why": TEXT,
        "theirs": {"type": ["object", "null"], "description": "what another has decided"},
        "seen": {"type": ["integer", "null"], "description": "what the next decision sends back"},
    },
    "example": {
        "key": "0f1e2d3c",
        "record": "20260101T090000.000Z-churn:0",
        "state": "saved",
        "why": "",
        "theirs": None,
        "seen": 7,
    },
}
PARAMETERS: Mapping[str, Parameter] = {
    "items_limit": Parameter(
        "How many records", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    ),
}
COMPONENTS: Mapping[str, Schema] = {"Decision": DECISION, "Result": RESULT}
DECISIONS = Body(
    {
        "decisions": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Decision"},
            "maxItems": 10_000,
        },
        "by": {**TEXT, "description": "who has decided: 409 where another has signed in"},
    },
    {"decisions": [DECISION["example"]]},
    is_open=True,
)
UNDO = Body(
    {
        "redo": {"type": "boolean", "description": "bring again what was taken back last"},
        "key": {**TEXT, "description": "with the same one it is done once"},
        "by": {**TEXT, "description": "whose action: 409 where another has signed in"},
    },
    {},
)
ITEMS: Mapping[str, Answer] = {"200": Answer(LIST)}
RESULTS: Mapping[str, Answer] = {
    "200": Answer(
        {
            "type": "object",
            "required": ["results"],
            "properties": {
                "results": {"type": "array", "items": {"$ref": "#/components/schemas/Result"}}
            },
            "example": {"results": [RESULT["example"]]},
        }
    )
}
