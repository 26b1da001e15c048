"""``/feed``: requests as services and loops finish them, as far as history has kept them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from alo.alarms.class_mix import UNKNOWN, normalized
from alo.alarms.ledger import Crossing
from alo.history.entries.names import entry_folder, read_record
from alo.history.entries.not_kept import not_kept
from alo.history.filters import STATUSES, Filters
from alo.history.index.kept import KeptIndex
from alo.history.index.pages import MOST, RunPage, Scored, Wanted, moment_of, page_in
from alo.history.index.table import Index
from alo.history.models_origin import NAMELESS
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.ui.alarms import Noted, alarms_of
from alo.ui.ask import Ask
from alo.ui.class_mixes import parts_of
from alo.ui.drawing.mixes import mix_chart
from alo.ui.drawing.scores import Level, score_chart
from alo.ui.query import active
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import every_by_key, limit_of, table_of

COLUMNS = (
    "id",
    "request",
    "status",
    "start_time",
    "end_time",
    "score",
    "result",
    "note",
    "model",
    "below",
)
FILTERS = {"status": "status", "q": "text", "model": "model"}


def show(ask: Ask) -> Page:
    """The newest inferences, with their scores over time and their results."""
    query = ask.query
    query.allow(*FILTERS, "page", "limit")
    filters = Filters("inference", query.one("status", among=STATUSES))
    wanted = Wanted(filters, query.one("q"), query.one("model"))
    limit = limit_of(query)
    page, records = ask.studio.index.ask(lambda runs: _find(runs, wanted, query.one("page"), limit))
    noted = alarms_of(ask.studio.workspace)
    below = noted.alarm.score_below
    train = _train_run(ask.studio.workspace, records)
    shares = normalized(train.probability) if train else UNKNOWN
    parts = parts_of(records, shares)
    crossings = _crossings(noted, page, query.one("page"))
    items = [_item(record, below) for record in records]
    content = {
        "items": items,
        "alarms": [each.to_json() for each in crossings],
        "limits": {"score_below": below, "class_mix": noted.alarm.class_mix},
        "train": {"run": train.id, "score": train.score, "shares": shares} if train else None,
        "mixes": [part.to_json() for part in parts],
        "next": query.link(page=page.next, limit=query.one("limit")) if page.next else None,
        "total": page.total,
        "not_kept": not_kept(ask.studio.workspace.history, "inference").to_json(),
    }
    shown = {
        "filters": active(query, FILTERS),
        "statuses": STATUSES,
        "rows": _rows(items, crossings),
        "noted": noted,
        "chart": score_chart(_points(page), _levels(below, train)),
        "mix": mix_chart(parts, tuple(sorted(shares.items()))),
        "results": Counter(each.result or each.status for each in page.lines).most_common(),
        "is_first": not query.one("page"),
        "command": "alo history --mode inference",
    }
    some = partial(_some, ask.studio.index, wanted)
    whole = (_item(record, below) for record in every_by_key(some))
    return Page("feed", "Feed", content, shown, table_of(COLUMNS, whole))


def _item(record: RunRecord, limit: float | None) -> dict[str, object]:
    return {
        **record.to_list_json(),
        "request": record.request,
        "model": record.train_id,
        "below": _is_below(record, limit),
    }


def _some(index: KeptIndex, wanted: Wanted, key: str) -> tuple[Sequence[RunRecord], str]:
    page, records = index.ask(partial(_find, wanted=wanted, key=key, limit=MOST))
    return records, page.next


def _is_below(record: RunRecord, limit: float | None) -> bool:
    return limit is not None and record.score is not None and record.score < limit


def _train_run(workspace: Workspace, records: Sequence[RunRecord]) -> RunRecord | None:
    """The train run whose model has answered the newest of them; None: it is not in history."""
    named = [each.train_id for each in records if each.train_id not in ("", *NAMELESS)]
    try:
        return read_record(entry_folder(workspace, "train", named[0])) if named else None
    except OSError:
        return None


def _crossings(noted: Noted, page: RunPage, key: str) -> Sequence[Crossing]:
    """The alarms that were raised or have ended while these requests came."""
    first = page.lines[-1].start_time if page.lines and page.next else ""
    return noted.between(first, moment_of(key) if key else "")


def _rows(
    items: Sequence[Mapping[str, object]], crossings: Sequence[Crossing]
) -> Sequence[Mapping[str, object]]:
    """Requests, and the alarms between them, the newest first."""
    timed = [(str(each["start_time"]), {"run": each}) for each in items]
    timed += [(each.time, {"alarm": each.to_json()}) for each in crossings]
    return [each for _, each in sorted(timed, key=lambda one: one[0], reverse=True)]


def _points(page: RunPage) -> tuple[Scored, ...]:
    return tuple(
        Scored(each.id, each.start_time, each.score, each.kind)
        for each in reversed(page.lines)
        if each.score is not None
    )


def _levels(below: float | None, train: RunRecord | None) -> tuple[Level, ...]:
    levels = {"limit": below, "train run": train.score if train else None}
    return tuple(Level(name, score) for name, score in levels.items() if score is not None)


def _find(runs: Index, wanted: Wanted, key: str, limit: int) -> tuple[RunPage, Sequence[RunRecord]]:
    page = page_in(runs, wanted, key=key, limit=limit)
    return page, runs.records(page.lines)
