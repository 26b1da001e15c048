"""``/jobs``: commands that were started here."""

from __future__ import annotations

import shlex

from alo.ui.ask import Ask
from alo.ui.jobs.job import Job
from alo.ui.readers.text_windows import TextWindow, text_window
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.lists import below_of, every, limit_of, numbered, table_of

COLUMNS = (
    "id",
    "state",
    "exit_status",
    "run",
    "made",
    "held",
    "command",
    "by",
    "queued",
    "started",
    "ended",
)


def index(ask: Ask) -> Page:
    """The newest jobs."""
    ask.query.allow("page", "limit")
    jobs, limit = ask.studio.jobs, limit_of(ask.query)
    found = jobs.list(below_of(ask.query), limit + 1)
    content = numbered(
        ask,
        [each.to_json() for each in found],
        [each.number for each in found],
        jobs.count,
        limit,
    )
    shown = {"jobs": found[:limit], "command": "alo history"}
    whole = (
        {**each.to_json(), "command": shlex.join(["alo", *each.command])}
        for each in every(jobs.list)
    )
    return Page("jobs", "Jobs", content, shown, table_of(COLUMNS, whole))


def show(ask: Ask) -> Page:
    """One job, with what its command has printed."""
    ask.query.allow()
    job = ask.studio.jobs.find(ask.names["id"])
    window = _output(ask, job)
    content = {**job.to_json(), "output": [line.text for line in window.lines]}
    shown = {"job": job, "window": window, "command": shlex.join(["alo", *job.command])}
    return Page("job", job.id, content, shown)


def cancel(ask: Ask) -> Redirect:
    """End a job."""
    job = ask.studio.jobs.cancel(ask.names["id"], ask.who.name)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


def _output(ask: Ask, job: Job) -> TextWindow:
    path = ask.studio.jobs.folder(job).output
    return text_window(path) if path.is_file() else TextWindow.nothing()
