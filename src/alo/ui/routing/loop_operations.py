"""What the paths of data sets, candidates and traces take and answer."""

from __future__ import annotations

from collections.abc import Mapping

from alo.ui.routing.operations import RUN_ID, TEXT, Body, Parameter, Schema

TEXTS: Schema = {"type": "array", "items": TEXT}
YES: Schema = {"type": ["boolean", "string"]}
KEY: Schema = {**TEXT, "description": "of the request: the same one twice is one job"}
DATASET = "patients@v1"

PARAMETERS: Mapping[str, Parameter] = {
    "at": Parameter("A time in UTC, or so long ago", example="2026-11-02T10:00Z"),
    "split": Parameter("Whether the row trains or tests", {"enum": ["train", "test"]}),
    "new": Parameter("The label that people gave", example="good"),
    "source": Parameter(
        "Why the row was reviewed", {"enum": ["random", "uncertain", "picked"]}, "random"
    ),
    "verify": Parameter("1: look at large files, too", {"enum": ["1"]}),
    "change": Parameter("One kind of change", {"enum": ["added", "removed", "relabelled"]}),
    "review": Parameter("A review that it is made of", TEXT, "patients", True),
    "base": Parameter("The data that it adds to: NAME@V, none, or a path", example=DATASET),
    "name": Parameter("Of the data set", example="patients"),
    "dataset": Parameter("NAME@V; NAME alone: its newest version", example=DATASET),
    "against": Parameter("The train run whose model it is compared with", example=RUN_ID),
}
COMPONENTS: Mapping[str, Schema] = {}

MAKE_DATASET = Body(
    {
        "name": TEXT,
        "reviews": {"type": ["array", "string"], "items": TEXT, "description": "their names"},
        "review": {"type": ["array", "string"], "items": TEXT, "description": "in its place"},
        "base": {
            **TEXT,
            "description": "NAME@V, none, or, of an operator, a path; empty: the plan's",
        },
        "test_share": {"type": ["number", "string"], "description": "of the random records"},
        "note": TEXT,
        "key": KEY,
    },
    {"name": "patients", "reviews": ["patients"], "test_share": 0.2, "key": "b7c2"},
    ("name",),
)
RETRAIN = Body(
    {
        "dataset": {**TEXT, "description": "NAME@V; NAME alone: its newest version"},
        "against": {**TEXT, "description": "a train run; empty: the deployed one"},
        "args": {"type": "object", "description": "{step: {key: value}}; in a form args.STEP.KEY"},
        "set": {"type": ["array", "string"], "items": TEXT, "description": "STEP.ARG=VALUE"},
        "deploy": {**YES, "description": "deploy it, if the gate lets it pass"},
        "force": {**YES, "description": "deploy it also if the gate holds it; with reason"},
        "reason": TEXT,
        "key": KEY,
    },
    {"dataset": DATASET, "key": "b7c3"},
    ("dataset",),
    is_open=True,
)
