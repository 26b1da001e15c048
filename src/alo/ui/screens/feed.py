"""``/feed``: requests as services and loops finish them, as far as history has kept them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from alo.history.filters import STATUSES, Filters
from alo.history.index import Index
from alo.history.pages import RunPage, Scored, Wanted, page_in
from alo.history.record import RunRecord
from alo.ui.ask import Ask
from alo.ui.drawing.scores import score_chart
from alo.ui.page import Page
from alo.ui.query import active
from alo.ui.screens.lists import limit_of

FILTERS = {"status": "status", "q": "text", "model": "model"}


def show(ask: Ask) -> Page:
    """The newest inferences, with their scores over time and their results."""
    query = ask.query
    query.allow(*FILTERS, "page", "limit")
    filters = Filters("inference", query.one("status", among=STATUSES))
    wanted = Wanted(filters, query.one("q"), query.one("model"))
    limit = limit_of(query)
    page, records = ask.studio.index.ask(lambda runs: _find(runs, wanted, query.one("page"), limit))
    scored = [each for each in reversed(page.lines) if each.score is not None]
    content = {
        "items": [
            {
                **record.to_list_json(),
                "request": _request(record.overrides),
                "model": record.train_id,
            }
            for record in records
        ],
        "next": query.link(page=page.next, limit=query.one("limit")) if page.next else None,
        "total": page.total,
    }
    shown = {
        "filters": active(query, FILTERS),
        "statuses": STATUSES,
        "chart": score_chart(
            tuple(Scored(each.id, each.start_time, each.score or 0.0, each.kind) for each in scored)
        ),
        "results": Counter(each.result or each.status for each in page.lines).most_common(),
        "is_first": not query.one("page"),
        "command": "alo history --mode inference",
    }
    return Page("feed", "Feed", content, shown)


def _find(runs: Index, wanted: Wanted, key: str, limit: int) -> tuple[RunPage, Sequence[RunRecord]]:
    page = page_in(runs, wanted, key=key, limit=limit)
    return page, runs.records(page.lines)


def _request(overrides: tuple[str, ...]) -> str:
    """The id of the request that a run has answered; empty: it was no request."""
    first = overrides[0] if overrides else ""
    return first.removeprefix("request ") if first.startswith("request ") else ""
