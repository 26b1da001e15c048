"""What the paths of reviews: their screens, and what is decided take and answer."""

from __future__ import annotations

from collections.abc import Mapping

from alo.ui.routing.operations import (
    LIST,
    NUMBER,
    OBJECT,
    TEXT,
    Answer,
    Body,
    Parameter,
    Schema,
)

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
STATES = ["undecided", "accepted", "changed", "skipped", "flagged", "conflict"]
ACCURACY: Schema = {
    "type": "object",
    "required": [
        "estimate",
        "low",
        "high",
        "level",
        "method",
        "population",
        "reviewed",
        "strata",
        "by_class",
        "enough",
        "needed",
        "waiting",
        "waits_for",
    ],
    "properties": {
        "estimate": {**NUMBER, "description": "null: too little was reviewed"},
        "low": NUMBER,
        "high": NUMBER,
        "level": {"type": "number"},
        "method": TEXT,
        "population": {"type": "integer"},
        "reviewed": OBJECT,
        "strata": {"type": "array"},
        "by_class": OBJECT,
        "enough": {"type": "boolean"},
        "needed": {"type": "integer", "description": "further random records; 0: reached"},
        "waiting": {"type": "integer", "description": "decided, and do not count yet"},
        "waits_for": {
            "type": ["string", "null"],
            "description": "the undecided record that they are behind",
        },
    },
}
REVIEW: Schema = {
    "type": "object",
    "required": [
        *LIST["required"],
        "name",
        "state",
        "runs",
        "seed",
        "population",
        "counts",
        "labels",
        "agreement",
        "accuracy",
        "not_kept",
    ],
    "properties": {
        **LIST["properties"],
        "not_kept": {
            "type": "object",
            "description": "inferences that history did not have when the review was made",
            "properties": {"count": {"type": "integer"}, "since": TEXT},
        },
        "accuracy": {"type": ["object", "null"], "description": "null: it is at /accuracy.json"},
    },
}
PARAMETERS: Mapping[str, Parameter] = {
    "record": Parameter("A record, by its id", example="20260101T090000.000Z-churn:0"),
    "behind": Parameter("A record: what is shown is the first open one behind it"),
    "view": Parameter("grid: many at once", {"enum": ["grid"]}),
    "items_limit": Parameter(
        "How many records", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 50}
    ),
    "review_state": Parameter("Only reviews in this state", {"enum": ["open", "closed"]}, "open"),
    "state": Parameter("Only records in this state", {"enum": STATES}, "undecided"),
    "source": Parameter(
        "Only records that are in the queue for this; none: outside of it",
        {"enum": ["random", "uncertain", "picked", "none"]},
    ),
    "predicted": Parameter("Only records that the model says this of", example="benign"),
    "label": Parameter("Only records with this label", example="benign"),
    "method": Parameter("How it is estimated", {"enum": ["stratified", "ppi"]}),
    "export_format": Parameter("Of the file", {"enum": ["csv", "jsonl", "label-studio"]}, "csv"),
}
COMPONENTS: Mapping[str, Schema] = {
    "Accuracy": ACCURACY,
    "Decision": DECISION,
    "Result": RESULT,
    "Review": REVIEW,
}
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
PRESENCE = Body({"record": TEXT}, {"record": "20260101T090000.000Z-churn:0"})
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
BULK = Body(
    {
        "records": {"type": "array", "items": TEXT, "description": "ids; in a form a line each"},
        "scope": {"enum": ["selection", "filter"], "description": "filter: all that it finds"},
        "filter": {"type": "object", "description": "q, state, source, predicted, label"},
        "verdict": {"enum": ["accept", "change", "skip", "flag", "reset"]},
        "label": {**TEXT, "description": "of change"},
        "note": TEXT,
        "until": {"type": ["integer", "string"], "description": "the last decision one knows of"},
        "key": {**TEXT, "description": "of the request: the same one twice is one action"},
    },
    {"scope": "filter", "filter": {"predicted": "benign"}, "verdict": "accept", "key": "b7c1"},
    is_open=True,
)
LABELS = Body(
    {
        "action": {"enum": ["add", "rename", "merge", "recolour", "delete"]},
        "name": TEXT,
        "to": {**TEXT, "description": "of rename"},
        "into": {**TEXT, "description": "of merge, and of delete where it is in use"},
        "colour": {**TEXT, "description": "#rrggbb, of add and recolour"},
        "key": {**TEXT, "description": "a letter that is no command, of add and recolour"},
    },
    {"action": "add", "name": "unclear", "key": "u", "colour": "#1f5f9f"},
    ("action", "name"),
)
NEW = Body(
    {
        "name": TEXT,
        "runs": {"type": "array", "items": TEXT, "description": "ids; none: those that fit"},
        "since": {**TEXT, "description": "runs since then, as 7d"},
        "filter": {"type": "array", "items": TEXT, "description": "STEP.ARG=VALUE, of runs"},
        "random": {"type": ["integer", "string"], "description": "so many of all, by chance"},
        "uncertain": {"type": ["integer", "string"], "description": "so many of the least sure"},
        "pick": {"type": "array", "items": TEXT, "description": "records: RUN:ROW"},
        "seed": {"type": ["integer", "string"]},
        "second_look": {"type": ["number", "string"], "description": "share, for a second person"},
        "review": {"type": "object", "description": "keys of the plan's review, in its place"},
        "key": {**TEXT, "description": "of the request: the same one twice is one job"},
    },
    {"name": "patients", "random": 100, "review": {"key": "patient"}, "key": "b7c1"},
    ("name",),
    is_open=True,
)
