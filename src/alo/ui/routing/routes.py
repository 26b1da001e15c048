"""Every path of the studio, in one table: what answers it, who may ask, what it is for."""

from __future__ import annotations

from alo.ui.access.roles import NOBODY, OPERATOR, VIEWER
from alo.ui.ask import Ask
from alo.ui.live import stream
from alo.ui.rendering.page import Data
from alo.ui.routing.loop_routes import LOOP_ROUTES
from alo.ui.routing.openapi import describe
from alo.ui.routing.operations import (
    BYTES,
    DEPLOY,
    DONE,
    EMPTY,
    FED,
    LISTED,
    ONLY_HTML,
    PAGE_OF_FILE,
    PASSWORD,
    QUEUED,
    SIGN_IN,
    START,
    STREAM,
    SURVEYED,
    TRIED,
    TRY,
    USER,
    Answer,
    Operation,
)
from alo.ui.routing.review_routes import REVIEW_ROUTES
from alo.ui.routing.route import Route
from alo.ui.screens import (
    audit,
    compare,
    deploy,
    feed,
    jobs,
    models,
    overview,
    run,
    run_again,
    runs,
    sign_in,
    try_it,
    users,
)
from alo.ui.screens.files import files

OF_TEXT = ("from", "q")  # keys of a file's page
OF_TABLE = ("page", "limit", "columns", "column", "sort", "filter", "values")


def description(ask: Ask) -> Data:
    """``/openapi.json``: this table, for programs."""
    ask.query.allow()
    return Data(describe(ROUTES, ask.studio.settings.base_path))


ROUTES = (
    Route(
        "GET",
        "/",
        overview.show,
        VIEWER,
        "What is deployed, alarms, the last runs, what runs now",
        Operation(answers=SURVEYED),
    ),
    Route(
        "GET",
        "/runs",
        runs.show,
        VIEWER,
        "Runs: filtered, sorted, page by page",
        Operation(
            (*runs.FILTERS, "run", "sort", "columns", "page", "limit", "keep"), answers=LISTED
        ),
    ),
    Route(
        "POST",
        "/runs",
        run_again.start,
        OPERATOR,
        "Start a run as a job",
        Operation(body=START, answers=QUEUED),
    ),
    Route("GET", "/runs/{id}", run.show, VIEWER, "One run: its steps, summary, outputs, args"),
    Route("GET", "/runs/{id}/steps", run.steps, VIEWER, "The steps of a run over time"),
    Route(
        "GET",
        "/runs/{id}/log",
        run.log,
        VIEWER,
        "The log of a run; opens at its end",
        Operation(("file", "from", "q")),
    ),
    Route(
        "GET",
        "/runs/{id}/files",
        files.index,
        VIEWER,
        "The files of a run",
        Operation(("q", "folder", "page", "limit"), answers=LISTED),
    ),
    Route(
        "GET",
        "/runs/{id}/files/{path:path}",
        files.show,
        VIEWER,
        "One file of a run, shown",
        Operation(("format", *OF_TEXT, *OF_TABLE), answers=PAGE_OF_FILE, is_data=False),
    ),
    Route(
        "GET",
        "/runs/{id}/raw/{path:path}",
        files.raw,
        VIEWER,
        "The bytes of a file of a run",
        Operation(("download", "thumb", "for"), answers=BYTES, is_data=False),
    ),
    Route("GET", "/runs/{id}/plan", run.plan, VIEWER, "The plan as it ran"),
    Route("GET", "/runs/{id}/code", run.code, VIEWER, "The code as it ran"),
    Route(
        "GET",
        "/runs/{id}/again",
        run_again.form,
        OPERATOR,
        "The form that runs it again",
        Operation(errors=("409",)),
    ),
    Route(
        "GET",
        "/new",
        run_again.new,
        OPERATOR,
        "The form that starts a run",
        Operation(("pipeline",), errors=("409",)),
    ),
    Route(
        "GET",
        "/compare",
        compare.show,
        VIEWER,
        "What differs between 2 to 20 runs",
        Operation(("run", "all", "key", "table", "page"), errors=("404",)),
    ),
    Route(
        "GET",
        "/feed",
        feed.show,
        VIEWER,
        "Requests that services and loops have finished",
        Operation((*feed.FILTERS, "page", "limit"), answers=FED),
    ),
    Route(
        "GET",
        "/models",
        models.show,
        VIEWER,
        "What is deployed, was before, and could be; which model answered at a time",
        Operation(("at", "page", "limit"), answers=LISTED),
    ),
    Route(
        "POST",
        "/deploy",
        deploy.deploy,
        OPERATOR,
        "Deploy a model, roll back, set the shadow",
        Operation(body=DEPLOY, answers=DONE, errors=("404",)),
    ),
    Route("GET", "/try", try_it.show, OPERATOR, "The form that sends data to the pipeline"),
    Route(
        "POST",
        "/try",
        try_it.send,
        OPERATOR,
        "Send data to the inference pipeline of a service that runs, or of a worker",
        Operation(body=TRY, answers=TRIED, errors=("404", "429", "504")),
        most_body=20_000_000,
    ),
    Route(
        "GET",
        "/try/{id}/outputs/{path:path}",
        try_it.output,
        OPERATOR,
        "An output file of what was sent",
        Operation(answers=BYTES, is_data=False),
    ),
    Route(
        "GET",
        "/jobs",
        jobs.index,
        VIEWER,
        "Runs, data sets and candidates that were started here",
        Operation(("page", "limit"), answers=LISTED),
    ),
    Route("GET", "/jobs/{id}", jobs.show, VIEWER, "One of them, with its log"),
    Route(
        "POST",
        "/jobs/{id}/cancel",
        jobs.cancel,
        OPERATOR,
        "End a job",
        Operation(body=EMPTY, answers=QUEUED),
    ),
    Route(
        "GET",
        "/events",
        stream.show,
        VIEWER,
        "What happens, as it happens (server-sent events); Last-Event-ID continues",
        Operation(("events_of", "after"), answers=STREAM, errors=("404",), is_data=False),
    ),
    Route(
        "GET",
        "/audit",
        audit.show,
        OPERATOR,
        "Every change, with who made it",
        Operation(("page", "limit"), answers=LISTED),
    ),
    Route(
        "GET",
        "/users",
        users.show,
        OPERATOR,
        "Who may sign in",
        Operation(("page", "limit"), answers=LISTED),
    ),
    Route(
        "POST",
        "/users",
        users.add,
        OPERATOR,
        "Add a user",
        Operation(body=USER, answers={"201": Answer()}),
    ),
    Route(
        "POST",
        "/users/{name}/disable",
        users.disable,
        OPERATOR,
        "End a user's sessions and tokens, and let none begin",
        Operation(body=EMPTY, answers=DONE),
    ),
    Route(
        "POST",
        "/users/{name}/password",
        users.set_password,
        OPERATOR,
        "Give a user another password",
        Operation(body=PASSWORD, answers=DONE),
    ),
    Route(
        "GET",
        "/sign-in",
        sign_in.show,
        NOBODY,
        "The form for name and password",
        Operation(("next",), answers=ONLY_HTML, is_data=False),
    ),
    Route(
        "POST",
        "/sign-in",
        sign_in.enter,
        NOBODY,
        "Sign in",
        Operation(body=SIGN_IN, answers=DONE, errors=("401", "429")),
    ),
    Route(
        "POST", "/sign-out", sign_in.leave, NOBODY, "Sign out", Operation(body=EMPTY, answers=DONE)
    ),
    Route("GET", "/openapi", description, VIEWER, "This description"),
    *REVIEW_ROUTES,
    *LOOP_ROUTES,
)
