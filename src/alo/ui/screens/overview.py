"""``/``: what is deployed, how the last runs went, what runs now."""

from __future__ import annotations

from alo.alarms.watch import watched_by
from alo.history.filters import Filters
from alo.history.in_use import unfinished_record
from alo.history.models_origin import current_train_id
from alo.history.record import RunRecord
from alo.layout import KINDS, Workspace
from alo.serve.folders import names_of_live
from alo.serve.redis_queue.health import loops_of
from alo.serve.rollout.status import live_services
from alo.ui.alarms import alarms_of
from alo.ui.ask import Ask
from alo.ui.rendering.page import Page
from alo.ui.screens.models import deployed_now
from alo.ui.screens.reviews.index import open_lines

MOST_REVIEWS = 5


def show(ask: Ask) -> Page:
    """The project at a glance."""
    ask.query.allow()
    studio = ask.studio
    deployed, problem = deployed_now(studio.workspace)
    last = {kind: _last(ask, kind) for kind in KINDS}
    first = unfinished_record(studio.workspace)
    noted = alarms_of(studio.workspace)
    content = {
        "deployed": deployed.in_short(),
        "problem": problem,
        "current": current_train_id(studio.workspace),
        "last": {kind: record.to_list_json() if record else None for kind, record in last.items()},
        "alarms": [each.to_json() for each in noted.ledger.raised_now],
        "watched": watched_by(noted.alarm),
        "running": first.to_list_json() if first else None,
        "jobs": [each.to_json() for each in studio.jobs.open()],
        "reviews": open_lines(studio, MOST_REVIEWS),
        "services": _services(studio.workspace),
        "uses": {name: use.run for name, use in live_services(studio.workspace, deployed).items()},
    }
    shown = {"noted": noted, "deployment": deployed, "command": "alo deploy --status"}
    return Page("overview", "Overview", content, shown)


def _last(ask: Ask, kind: str) -> RunRecord | None:
    found = ask.studio.history.list(Filters(kind), limit=1)
    return found[0] if found else None


def _services(workspace: Workspace) -> list[dict[str, object]]:
    """The services and loops of the project that run, with what they say of themselves."""
    loops = [{"kind": "loop", **each._asdict()} for each in loops_of(workspace)]
    servers: list[dict[str, object]] = [
        {"kind": "serve", "name": name, "status": "serving"}
        for name in names_of_live(workspace, "serve")
    ]
    return servers + loops
