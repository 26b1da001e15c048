"""The paths of data sets, candidates and traces."""

from __future__ import annotations

from alo.ui.access.roles import REVIEWER, VIEWER
from alo.ui.routing.loop_operations import MAKE_DATASET, RETRAIN
from alo.ui.routing.operations import LISTED, QUEUED, Operation
from alo.ui.routing.route import Route
from alo.ui.screens.loop import candidate, datasets, make_dataset, promotions, retrain, trace

LOOP_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/datasets",
        datasets.index,
        VIEWER,
        "Versions of data sets",
        Operation(("q", "page", "limit"), answers=LISTED),
    ),
    Route(
        "GET",
        "/datasets/new",
        make_dataset.form,
        REVIEWER,
        "The form that makes a version of a data set",
        Operation(("review", "base", "name")),
    ),
    Route(
        "POST",
        "/datasets",
        make_dataset.make,
        REVIEWER,
        "Make a version of a data set as a job",
        Operation(body=MAKE_DATASET, answers=QUEUED),
    ),
    Route(
        "GET",
        "/datasets/{name}/{version}",
        datasets.show,
        VIEWER,
        "A version of a data set, with its reviewed rows",
        Operation(
            ("split", "new", "source", "q", "verify", "page", "limit"),
            answers=LISTED,
            errors=("409",),
        ),
    ),
    Route(
        "GET",
        "/datasets/{name}/{version}/diff/{other}",
        datasets.diff,
        VIEWER,
        "What the other version has more, less and otherwise than this one",
        Operation(("change", "page", "limit"), answers=LISTED, errors=("409",)),
    ),
    Route(
        "GET",
        "/models/retrain",
        retrain.form,
        REVIEWER,
        "The form that trains a candidate on a data set",
        Operation(("dataset", "against"), errors=("409",)),
    ),
    Route(
        "POST",
        "/models/retrain",
        retrain.start,
        REVIEWER,
        "Train a candidate and have the gate judge it, as a job; deploy and force need an operator",
        Operation(body=RETRAIN, answers=QUEUED),
    ),
    Route(
        "GET",
        "/models/log",
        promotions.show,
        VIEWER,
        "Every deployment, and which model answered at a time",
        Operation(("at", "page", "limit"), answers=LISTED),
    ),
    Route(
        "GET",
        "/models/{run}",
        candidate.show,
        VIEWER,
        "A model: what it was compared with, and what the gate says",
        Operation(("page", "limit"), answers=LISTED),
    ),
    Route(
        "GET",
        "/trace/{id}",
        trace.show,
        VIEWER,
        "What a record, a run, a request, a data set or a case hangs together with",
    ),
)
