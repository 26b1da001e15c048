"""``POST /reviews/{name}/close`` and ``reopen``; ``/reviews/{name}/export``: all that was said."""

from __future__ import annotations

from collections.abc import Callable

from alo.loop.exported import exported
from alo.loop.held_runs import close_review, reopen_review
from alo.review.exchange import FORMATS
from alo.review.rows import Review
from alo.ui.ask import Ask
from alo.ui.rendering.page import Download, Redirect
from alo.ui.screens.reviews.named import named

SUFFIXES = {"csv": "csv", "jsonl": "jsonl", "label-studio": "json"}


def close(ask: Ask) -> Redirect:
    """Nothing more is decided in it, and its runs are kept for it no more."""
    return _set(ask, close_review)


def reopen(ask: Ask) -> Redirect:
    """Continue it."""
    return _set(ask, reopen_review)


def export(ask: Ask) -> Download:
    """The queue with its labels, as a file."""
    ask.query.allow()
    review = named(ask)
    form = ask.query.one("format", FORMATS[0], among=FORMATS)
    text = exported(ask.studio.workspace, ask.studio.reviews, review, form)
    name = f"{review.name}.{SUFFIXES[form]}"
    return Download(name, iter([text.encode("utf-8", "surrogatepass")]))


def _set(ask: Ask, change: Callable[..., Review]) -> Redirect:
    review = change(ask.studio.workspace, ask.studio.database, named(ask).name, ask.who.name)
    return Redirect(f"/reviews/{review.name}", {"name": review.name, "state": review.state})
