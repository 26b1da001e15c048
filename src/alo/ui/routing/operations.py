"""What a path of the studio takes and answers, in the words of OpenAPI, with examples.

Here: parameters, bodies and answers that more than one route may have. Which route has which is in
the table of ``routes``; the description is made of both in ``openapi``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
OBJECT: Schema = {"type": "object"}
JSON, HTML, CSV, ANY, EVENTS, FORM = (
    "application/json",
    "text/html",
    "text/csv",
    "*/*",
    "text/event-stream",
    "application/x-www-form-urlencoded",
)
RUN_ID = "20260101T090000.000Z-churn"


class Parameter(NamedTuple):
    """A key of a query."""

    description: str
    schema: Schema = TEXT
    example: object = None
    is_repeatable: bool = False


class Body(NamedTuple):
    """The body of a POST: the same as JSON and as a form."""

    properties: Mapping[str, Schema]
    example: Mapping[str, object]
    required: Sequence[str] = ()
    is_open: bool = False  # whether it may have other keys


class Answer(NamedTuple):
    """The body of an answer."""

    schema: Schema = OBJECT
    media_types: Sequence[str] = (JSON,)
    example: object = None


class Operation(NamedTuple):
    """What can be asked of a path with one method."""

    query: Sequence[str] = ()  # keys, each one of ``PARAMETERS``
    body: Body | None = None
    answers: Mapping[str, Answer] = {"200": Answer()}  # by status
    errors: Sequence[str] = ()  # statuses beside those that any path may answer with
    is_data: bool = True  # whether its data is at the same path with .json


def reference(name: str) -> Schema:
    """The schema of a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def _number(description: str, default: int, least: int, most: int) -> Parameter:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(description, schema)


PARAMETERS: Mapping[str, Parameter] = {
    "q": Parameter("A text that has to be in it", example="smoke"),
    "pipeline": Parameter("The pipeline", {"enum": ["train", "inference"]}, "train"),
    "status": Parameter("How it has ended", example="success"),
    "since": Parameter("Runs from this moment on, or of this time until now", example="7d"),
    "param": Parameter("STEP.KEY=VALUE: the arg has this value", TEXT, "train.depth=5", True),
    "model": Parameter("The beginning of the id of the train run whose model was used"),
    "sort": Parameter("A column; a - before it turns the order around", example="-score"),
    "columns": Parameter("Columns, with commas", example="score,args.train.depth"),
    "keep": Parameter("The keys of the page to which a form without scripts returns"),
    "limit": _number("How many rows", 50, 1, 500),
    "page": Parameter("What the page before calls its next"),
    "run": Parameter(
        "Runs to compare, 2 to 20; in a list, those that are selected", TEXT, RUN_ID, True
    ),
    "events_of": Parameter("A run, or jobs, or feed", example="jobs"),
    "after": Parameter("The sequence of the last event that came, as Last-Event-ID", example="7"),
    "table": Parameter("The output table of which `page` is", example="output/output.csv"),
    "key": Parameter("The column by which rows of output tables are joined"),
    "all": Parameter("1: equal values, too", {"enum": ["1"]}),
    "file": Parameter("Which log", {"enum": ["pipeline", "process"]}),
    "from": Parameter("Where the window begins, in bytes", {"type": "integer", "minimum": 0}),
    "format": Parameter("json, csv; without: a page", {"enum": ["json", "csv"]}, "json"),
    "download": Parameter("1: to be saved, not shown", {"enum": ["1"]}),
    "folder": Parameter("Below which folder of the run", example="output"),
    "thumb": Parameter("Of a picture: so many pixels at most", example="256"),
    "for": Parameter("spreadsheet: no cell of it is run", {"enum": ["spreadsheet"]}),
    "column": _number("Of a table: the first column of the window", 0, 0, 10**6),
    "filter": Parameter("COLUMN=text: the cell has it", TEXT, "name=ada", True),
    "values": Parameter("A column whose values are counted"),
    "next": Parameter("A path of the studio that comes after"),
}
NAMES_IN_URL = {  # of parameters that mean another thing on other routes
    "events_of": "run",
    "export_format": "format",
    "behind": "after",
    "items_limit": "limit",
    "review_state": "state",
}

ERROR: Schema = {
    "type": "object",
    "required": ["error", "fields"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["what", "where", "fix"],
            "properties": {"what": TEXT, "where": TEXT, "fix": TEXT},
        },
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "what"],
                "properties": {"field": TEXT, "what": TEXT},
            },
        },
    },
    "example": {
        "error": {"what": "some args cannot be so", "where": "", "fix": ""},
        "fields": [{"field": "args.train.depth", "what": "it has to be at most 9"}],
    },
}
LIST: Schema = {
    "type": "object",
    "required": ["items", "next", "total"],
    "properties": {
        "items": {"type": "array"},
        "next": {"type": ["string", "null"]},
        "total": {"type": ["integer", "null"]},
    },
    "example": {"items": [], "next": None, "total": 0},
}
JOB: Schema = {
    "type": "object",
    "required": ["id", "state", "exit_status", "run", "command", "by", "queued"],
    "properties": {
        "id": TEXT,
        "state": {"enum": ["queued", "running", "success", "error", "cancelled"]},
        "exit_status": {"type": ["integer", "null"]},
        "run": {**TEXT, "description": "its run; of a retrain, the candidate"},
        "made": {**TEXT, "description": "the data set, NAME@V"},
        "held": {"type": "boolean", "description": "the gate holds the candidate: no error"},
        "command": {"type": "array", "items": TEXT},
        "by": TEXT,
        "queued": TEXT,
        "started": TEXT,
        "ended": TEXT,
    },
    "example": {
        "id": "0f1e2d3c4b5a",
        "state": "queued",
        "exit_status": None,
        "run": "",
        "made": "",
        "held": False,
        "command": ["alo", "run", "--mode", "train", "--json"],
        "by": "ada",
        "queued": "2026-01-01T09:00:00.000Z",
        "started": "",
        "ended": "",
    },
}
TRIED_ANSWER: Schema = {
    "type": "object",
    "required": ["id", "status", "summary", "outputs", "error", "service"],
    "properties": {
        "id": TEXT,
        "status": {"enum": ["success", "fail"]},
        "summary": {"type": ["object", "null"]},
        "outputs": {"type": "array", "items": {"type": "object"}},
        "error": {"type": ["object", "null"], "description": "code, name, message, traceback"},
        "service": {**TEXT, "description": "which has done it; worker: the studio's own"},
    },
    "example": {
        "id": "0f1e2d3c4b5a6978",
        "status": "success",
        "summary": {"result": "ok", "score": 0.9, "note": "", "probability": {}},
        "outputs": [
            {"name": "output.csv", "url": "/try/0f1e2d3c4b5a6978/outputs/output.csv"},
        ],
        "error": None,
        "service": "worker",
    },
}
ALARM: Schema = {
    "type": "object",
    "required": ["id", "alarm", "state", "value", "limit", "count", "project", "time", "delivery"],
    "properties": {
        "id": TEXT,
        "alarm": {"enum": ["score_below", "failures", "class_mix"]},
        "state": {"enum": ["raised", "ended"]},
        "value": {"type": "number"},
        "limit": {"type": "number"},
        "count": {"type": "integer", "description": "requests that it is about"},
        "project": TEXT,
        "time": TEXT,
        "delivery": {"enum": ["waiting", "delivered", "failed", "to no one"]},
        "reason": {**TEXT, "description": "why it was not delivered"},
    },
    "example": {
        "id": "5f0c6a1e9b7d2c34",
        "alarm": "score_below",
        "state": "raised",
        "value": 0.24,
        "limit": 0.2,
        "count": 50,
        "project": "churn",
        "time": "2026-01-01T09:00:00.123456Z",
        "delivery": "delivered",
        "reason": "",
    },
}
ALARMS: Schema = {"type": "array", "items": reference("Alarm")}
NUMBER: Schema = {"type": ["number", "null"]}
SHARES: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
FEED: Schema = {
    "type": "object",
    "required": [*LIST["required"], "not_kept", "alarms", "limits", "train", "mixes"],
    "properties": {
        **LIST["properties"],
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "below": {"type": "boolean", "description": "the score is below the alarm's"}
                },
            },
        },
        "not_kept": {
            "type": "object",
            "description": "inferences that history has no more, or never had, counted since then",
            "properties": {"count": {"type": "integer"}, "since": TEXT},
        },
        "alarms": {**ALARMS, "description": "that were raised or have ended meanwhile"},
        "limits": {
            "type": "object",
            "properties": {"score_below": NUMBER, "class_mix": NUMBER},
        },
        "train": {
            "type": ["object", "null"],
            "description": "the train run whose model has answered the newest",
            "properties": {"run": TEXT, "score": NUMBER, "shares": SHARES},
        },
        "mixes": {
            "type": "array",
            "description": "class mixes in the order of time",
            "items": {
                "type": "object",
                "properties": {
                    "start": TEXT,
                    "end": TEXT,
                    "requests": {"type": "integer"},
                    "shares": SHARES,
                    "distance": {**NUMBER, "description": "from the train run"},
                    "margin": {**NUMBER, "description": "how far chance moves it"},
                },
            },
        },
    },
}
OVERVIEW: Schema = {
    "type": "object",
    "required": [
        "deployed",
        "last",
        "running",
        "jobs",
        "services",
        "alarms",
        "watched",
        "reviews",
    ],
    "properties": {
        "alarms": {**ALARMS, "description": "that are raised now"},
        "watched": {"type": "array", "items": TEXT, "description": "that the plan asks for"},
        "reviews": {"type": "array", "description": "the newest that are open"},
    },
}
COMPONENTS: Mapping[str, Schema] = {
    "Error": ERROR,
    "List": LIST,
    "Job": JOB,
    "Alarm": ALARM,
    "Feed": FEED,
    "Overview": OVERVIEW,
    "Tried": TRIED_ANSWER,
}

FED = {"200": Answer(reference("Feed"))}
SURVEYED = {"200": Answer(reference("Overview"))}

LISTED = {"200": Answer(reference("List"))}
TRIED = {"200": Answer(reference("Tried"))}
QUEUED = {"202": Answer(reference("Job"))}
DONE = {"200": Answer()}
BYTES = {"200": Answer({}, (ANY,))}
STREAM = {"200": Answer(TEXT, (EVENTS,))}
PAGE_OF_FILE = {"200": Answer({}, (HTML, JSON, CSV))}
ONLY_HTML = {"200": Answer(TEXT, (HTML,))}

START = Body(
    {
        "pipeline": {"enum": ["train", "inference", "all"]},
        "args": {"type": "object", "description": "{step: {key: value}}; in a form args.STEP.KEY"},
        "data": {**TEXT, "description": "where the data is; empty: where the plan says"},
        "key": {**TEXT, "description": "of the request: the same one twice is one job"},
    },
    {"pipeline": "train", "args": {"train": {"depth": 5}}, "key": "b7c1"},
    is_open=True,
)
DEPLOY = Body(
    {
        "run": {**TEXT, "description": "the train run whose model is to be deployed"},
        "rollback": {"type": ["boolean", "string"], "description": "back to the model before"},
        "shadow": {"type": ["string", "null"], "description": "the run that runs in the shadow"},
        "reason": {**TEXT, "description": "of a run that the gate holds: why it is deployed"},
        "seen": {**TEXT, "description": "of a rollback: 409 where the model before is another"},
    },
    {"run": RUN_ID},
)
USER = Body(
    {
        "name": TEXT,
        "role": {"enum": ["viewer", "reviewer", "operator"]},
        "password": {**TEXT, "minLength": 8, "maxLength": 500},
    },
    {"name": "ada", "role": "viewer", "password": "long enough"},
    ("name", "role", "password"),
)
PASSWORD = Body(
    {"password": {**TEXT, "minLength": 8, "maxLength": 500}},
    {"password": "longer than before"},
    ("password",),
)
SIGN_IN = Body(
    {"name": TEXT, "password": TEXT, "next": TEXT},
    {"name": "ada", "password": "long enough"},
    ("name", "password"),
)
TRY = Body(
    {
        "rows": {"type": "array", "items": {"type": "object"}, "description": "{column: value}"},
        "csv": {**TEXT, "description": "in the place of rows: a table with a header"},
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "content"],
                "properties": {"name": TEXT, "content": {**TEXT, "contentEncoding": "base64"}},
            },
            "description": "in the place of rows",
        },
        "args": {"type": "object", "description": "{step: {key: value}}; in a form args.STEP.KEY"},
        "service": {**TEXT, "description": "its name; worker: the studio's own; empty: any"},
        "token": {**TEXT, "description": "of the service, if it wants one"},
    },
    {"csv": "column\n1.5\n"},
    is_open=True,
)
EMPTY = Body({}, {})
