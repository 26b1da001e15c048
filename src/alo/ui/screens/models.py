"""``/models``: what is deployed, was before, runs in the shadow, and what could be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from alo.errors import HistoryError, UsageError
from alo.gate.compared import comparison_of
from alo.history.deployment import Deployment, read_deployment
from alo.history.entries.names import entry_folder
from alo.history.filters import Filters, parse_since
from alo.history.index.kept import KeptIndex
from alo.history.index.pages import MOST, Wanted, page_in
from alo.history.index.table import Line
from alo.history.models_origin import current_train_id
from alo.history.promotions import Promotion, model_at, promotions, run_of
from alo.layout import Workspace
from alo.serve.rollout.status import live_services
from alo.ui.ask import Ask
from alo.ui.problems import refused_value
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import every_by_key, limit_of, table_of

if TYPE_CHECKING:
    from alo.serve.rollout.shadow import Comparison

COLUMNS = ("id", "start_time", "score", "result", "check", "dataset", "verdict")
SHOWN_PROMOTIONS = 5


def show(ask: Ask) -> Page:
    """The deployment, and the train runs that could be deployed."""
    ask.query.allow("page", "limit", "at")
    workspace = ask.studio.workspace
    deployed, problem = deployed_now(workspace)
    changes, damage = promotions_of(workspace)
    at = ask.query.one("at")
    wanted = Wanted(Filters("train", "success"))
    limit = limit_of(ask.query)
    page = ask.studio.index.ask(
        lambda runs: page_in(runs, wanted, key=ask.query.one("page"), limit=limit)
    )
    shadow = _compared(workspace) if deployed.shadow else None
    content = {
        "deployed": deployed.in_short(),
        "problem": " · ".join(filter(None, (problem, damage))),
        "current": current_train_id(workspace),
        "services": {
            name: use._asdict() for name, use in live_services(workspace, deployed).items()
        },
        "compared": shadow._asdict() if shadow else None,
        "at": answering(changes, at) if at else None,
        "promotions": [each.to_json() for each in changes[: -SHOWN_PROMOTIONS - 1 : -1]],
        "items": [_item(workspace, deployed, each) for each in page.lines],
        "next": ask.query.link(page=page.next, limit=ask.query.one("limit")) if page.next else None,
        "total": page.total,
    }
    shown = {"command": "alo deploy --status", "promoted": changes[: -SHOWN_PROMOTIONS - 1 : -1]}
    some = partial(_some, ask.studio.index, wanted)
    whole = table_of(COLUMNS, (_item(workspace, deployed, each) for each in every_by_key(some)))
    return Page("models", "Models", content, shown, whole)


def _item(workspace: Workspace, deployed: Deployment, line: Line) -> dict[str, object]:
    compared = None
    with suppress(HistoryError):  # damaged: its page says so
        compared = comparison_of(entry_folder(workspace, "train", line.id))
    return {
        "id": line.id,
        "start_time": line.start_time,
        "score": line.score,
        "result": line.result,
        "check": deployed.check_of(line.id)._asdict(),
        "dataset": compared.dataset if compared else "",
        "verdict": compared.judged.verdict if compared else "",
    }


def _some(index: KeptIndex, wanted: Wanted, key: str) -> tuple[Sequence[Line], str]:
    page = index.ask(lambda runs: page_in(runs, wanted, key=key, limit=MOST))
    return page.lines, page.next


def deployed_now(workspace: Workspace) -> tuple[Deployment, str]:
    """What is deployed, and why that is not known; empty: it is."""
    try:
        return read_deployment(workspace), ""
    except HistoryError as error:
        return Deployment(), f"{error.what} · {error.where} · {error.fix}"


def promotions_of(workspace: Workspace) -> tuple[list[Promotion], str]:
    """Every deployment, the oldest first, and why they are not known; empty: they are."""
    try:
        return promotions(workspace), ""
    except HistoryError as error:
        return [], f"{error.what} · {error.where} · {error.fix}"


def answering(changes: Sequence[Promotion], at: str) -> dict[str, object]:
    """Which model was deployed at a time; run null: none was yet.

    Raises:
        UiError: 422: it is no time.
    """
    try:
        when = parse_since(at, what="at")
    except UsageError as error:
        raise refused_value("at", error.what) from error
    found = model_at(changes, when)
    if found is None:
        return {"time": when, "run": None, "since": None, "by": None}
    return {"time": when, "run": run_of(found), "since": found.when, "by": found.who}


def _compared(workspace: Workspace) -> Comparison | None:
    from alo.serve.rollout.shadow import compared  # imports the workers

    return compared(workspace)
