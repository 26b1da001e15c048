"""Every path of the studio, in one table: what answers it, who may ask, what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alo.ui.access.roles import NOBODY, OPERATOR, VIEWER
from alo.ui.ask import Ask
from alo.ui.page import Result
from alo.ui.screens import (
    audit,
    compare,
    feed,
    files,
    jobs,
    models,
    overview,
    run,
    run_again,
    runs,
    sign_in,
    users,
)

Screen = Callable[[Ask], Result]


class Route(NamedTuple):
    """One path and method."""

    method: str
    path: str  # {name}: one part; {name:path}: the rest
    screen: Screen
    role: str  # that whoever asks must have at least
    summary: str


ROUTES = (
    Route("GET", "/", overview.show, VIEWER, "What is deployed, the last runs, what runs now"),
    Route("GET", "/runs", runs.show, VIEWER, "Runs: filtered, sorted, page by page"),
    Route("POST", "/runs", run_again.start, OPERATOR, "Start a run as a job"),
    Route("GET", "/runs/{id}", run.show, VIEWER, "One run: its steps, summary, outputs, args"),
    Route("GET", "/runs/{id}/steps", run.steps, VIEWER, "The steps of a run over time"),
    Route("GET", "/runs/{id}/log", run.log, VIEWER, "The log of a run; opens at its end"),
    Route("GET", "/runs/{id}/files", files.index, VIEWER, "The files of a run"),
    Route("GET", "/runs/{id}/files/{path:path}", files.show, VIEWER, "One file of a run, shown"),
    Route("GET", "/runs/{id}/raw/{path:path}", files.raw, VIEWER, "The bytes of a file of a run"),
    Route("GET", "/runs/{id}/plan", run.plan, VIEWER, "The plan as it ran"),
    Route("GET", "/runs/{id}/code", run.code, VIEWER, "The code as it ran"),
    Route("GET", "/runs/{id}/again", run_again.form, OPERATOR, "The form that runs it again"),
    Route("GET", "/new", run_again.new, OPERATOR, "The form that starts a run"),
    Route("GET", "/compare", compare.show, VIEWER, "What differs between 2 to 20 runs"),
    Route("GET", "/feed", feed.show, VIEWER, "Requests that services and loops have finished"),
    Route("GET", "/models", models.show, VIEWER, "What is deployed, was before, and could be"),
    Route("POST", "/deploy", models.deploy, OPERATOR, "Deploy a model, roll back, set the shadow"),
    Route("GET", "/jobs", jobs.index, VIEWER, "Runs that were started here"),
    Route("GET", "/jobs/{id}", jobs.show, VIEWER, "One of them, with its log"),
    Route("POST", "/jobs/{id}/cancel", jobs.cancel, OPERATOR, "End a job"),
    Route("GET", "/audit", audit.show, OPERATOR, "Every change, with who made it"),
    Route("GET", "/users", users.show, OPERATOR, "Who may sign in"),
    Route("POST", "/users", users.add, OPERATOR, "Add a user"),
    Route("GET", "/sign-in", sign_in.show, NOBODY, "The form for name and password"),
    Route("POST", "/sign-in", sign_in.enter, NOBODY, "Sign in"),
    Route("POST", "/sign-out", sign_in.leave, NOBODY, "Sign out"),
)
