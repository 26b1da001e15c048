"""``/reviews/{name}``: the records of a review as a table, and what is known by them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from alo.datasets.catalog import Catalog
from alo.review.accuracy import Accuracy
from alo.review.decisions import STATES, VERDICTS
from alo.review.exchange import FORMATS
from alo.review.rows import Review
from alo.ui.ask import Ask
from alo.ui.drawing.strata import strata_chart
from alo.ui.live.reviews import newest_decision
from alo.ui.query import active
from alo.ui.rendering.cut_inputs import OF_TABLE, cut_row
from alo.ui.rendering.page import Page, Table
from alo.ui.screens.lists import limit_of
from alo.ui.screens.reviews.found_records import FILTERS, SOURCES, FoundRecord, FoundRecords
from alo.ui.screens.reviews.named import kept_as, named

COLUMNS = ("predicted", "certainty", "label", "state", "source", "by", "at", "note")
NAMES = {key: key for key in FILTERS} | {"q": "text"}  # of the filters, as people call them


def show(ask: Ask) -> Page:
    """A page of the records, the queue first, and what the decisions come to."""
    ask.query.allow(*FILTERS, "page", "limit")
    review, limit = named(ask), limit_of(ask.query)
    wanted = {key: ask.query.one(key) for key in FILTERS}
    records = FoundRecords(ask.studio, review, ask.who.name, wanted)
    found = records.page(_after(ask), limit + 1)
    rows = found[:limit]
    last = str(rows[-1].item.record.place) if rows else ""
    estimate = ask.studio.accuracies.at_once(review)
    columns = columns_of(rows)
    content = {
        **about(ask, review, estimate),
        "items": [each.to_json() for each in rows],
        "next": ask.query.link(page=last) if len(found) > limit else None,
        "total": records.total,
        "columns": columns,
    }
    shown = {
        "review": review,
        "rows": rows,
        "columns_shown": columns[:OF_TABLE],
        "cells": [cut_row(each.given, columns[:OF_TABLE]) for each in rows],
        "estimate": estimate,
        "chart": chart_of(estimate),
        "agreed": ask.studio.reviews.agreement(review),
        "missing": _missing(rows),
        "datasets": _datasets(ask, review),
        "back": ask.query.link(page=ask.query.one("page")),
        "wanted": wanted,
        "filters": active(ask.query, NAMES),
        "is_first": not ask.query.one("page"),
        "states": STATES,
        "sources": SOURCES,
        "verdicts": VERDICTS,
        "formats": FORMATS,
        "predictions": _predictions(review),
        "until": last_decision(ask),
        "after": newest_decision(ask.studio.database, review),
        "kept_as": kept_as(ask, review),
        "key": os.urandom(8).hex(),
        "command": f"alo review show {review.name}",
    }
    return Page("review", review.name, content, shown, _table(records), folder="reviews/")


def about(ask: Ask, review: Review, estimate: Accuracy | None) -> dict[str, object]:
    """A review as ``alo review show --json`` has it, with its accuracy."""
    reviews = ask.studio.reviews
    line = review.to_json()
    line["counts"] = {**review.counts, **reviews.states(review)}
    line["agreement"] = reviews.agreement(review).to_json()
    line["accuracy"] = estimate and estimate.to_json()
    line["not_kept"] = review.not_in_history.to_json()
    return line


def columns_of(rows: Iterable[FoundRecord]) -> Sequence[str]:
    """The columns of the inputs, in their order; those of a later run that others lack at last."""
    return list(dict.fromkeys(name for each in rows for name in each.given.columns))


def chart_of(estimate: Accuracy | None) -> object:
    """The drawing of its strata."""
    if estimate is None:
        return None
    return strata_chart(tuple(estimate.strata), estimate.reviewed["uncertain"])


def _after(ask: Ask) -> int:
    """The place of the last record of the page before; -1: there is none."""
    return ask.query.number("page", -1, 0, 10**12)


def _missing(rows: Iterable[FoundRecord]) -> Mapping[str, int]:
    """Why inputs of these rows cannot be shown, each with how many it is of."""
    counts: dict[str, int] = {}
    for each in rows:
        if each.given.why:
            counts[each.given.why] = counts.get(each.given.why, 0) + 1
    return counts


def _datasets(ask: Ask, review: Review) -> Sequence[str]:
    """NAME@V of the newest version of each data set that the review is in."""
    newest: dict[str, str] = {}
    for version in Catalog(ask.studio.workspace).all():
        manifest = version.manifest
        if review.name in manifest.reviews:
            newest.setdefault(manifest.name, f"{manifest.name}@{manifest.version}")
    return list(newest.values())


def _predictions(review: Review) -> Sequence[str]:
    """The predictions that there can be, by the names that they had when it was made."""
    return [each.id for each in review.labels.everything]


def last_decision(ask: Ask) -> int:
    """The last decision of all that this page can know of."""
    return int(ask.studio.database.read("SELECT max(number) FROM decisions")[0][0] or 0)


def _table(records: FoundRecords) -> Table:
    """The whole filtered list; its input columns are those of its first records."""
    first = columns_of(records.page(-1, 1))

    def rows() -> Iterator[Sequence[object]]:
        for each in records.every():
            line = each.to_json()
            given = dict(zip(each.given.columns, each.given.values, strict=False))
            yield [
                each.item.id,
                *(given.get(name) for name in first),
                *(line[name] for name in COLUMNS),
            ]

    return Table(["record", *first, *COLUMNS], rows())
