"""``/reviews``: the reviews of the project, with how far each is, and the form for a new one."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from alo.review.decisions import UNDECIDED
from alo.review.rows import CLOSED, OPEN, Review
from alo.ui.access.roles import REVIEWER
from alo.ui.ask import Ask
from alo.ui.query import active
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.lists import below_of, every, limit_of, numbered, table_of
from alo.ui.screens.reviews.new import start
from alo.ui.screens.reviews.new_form import form_values
from alo.ui.studio import Studio

STATES = (OPEN, CLOSED)
COLUMNS = (
    "name", "state", "decided", "queued", "population", "estimate", "low", "high", "by", "created",
)  # fmt: skip


def show(ask: Ask) -> Page:
    """The newest reviews."""
    ask.query.allow("state", "page", "limit")
    state, limit = ask.query.one("state", among=STATES), limit_of(ask.query)
    reviews = ask.studio.reviews
    found = reviews.newest(below_of(ask.query), limit + 1, state=state)
    lines = [line_of(ask.studio, each) for each in found[:limit]]
    content = numbered(
        ask,
        [*lines, *found[limit:]],
        [each.number for each in found],
        reviews.count(state),
        limit,
    )
    whole = (
        flat(line_of(ask.studio, each))
        for each in every(lambda below, most: reviews.newest(below, most, state=state))
    )
    shown = {
        "filters": active(ask.query, {"state": "state"}),
        "states": STATES,
        **(form_values(ask) if ask.who.may(REVIEWER) else {}),
        "is_first": not ask.query.one("page"),
        "command": shlex.join(["alo", "review", "list"]),
    }
    return Page("reviews", "Reviews", content, shown, table_of(COLUMNS, whole), folder="reviews/")


def make(ask: Ask) -> Page | Redirect:
    """Make a review as a job; a form that is refused is shown as it was sent."""
    return or_again(ask, start, show)


def line_of(studio: Studio, review: Review) -> dict[str, object]:
    """A review with how far it is; its accuracy, where that is known."""
    states = studio.reviews.states(review)
    found = studio.accuracies.at_once(review)
    queued = sum(states.values())
    return {
        "name": review.name,
        "state": review.state,
        "created": review.created,
        "by": review.person,
        "population": review.counts.get("records", 0),
        "queued": queued,
        "decided": queued - states.get(UNDECIDED, 0),
        "states": states,
        "accuracy": found and {"estimate": found.estimate, "low": found.low, "high": found.high},
    }


def flat(line: Mapping[str, object]) -> Mapping[str, object]:
    """The same without anything nested, for a table."""
    accuracy = line["accuracy"]
    numbers = accuracy if isinstance(accuracy, Mapping) else {}
    return {**line, **{name: numbers.get(name) for name in ("estimate", "low", "high")}}


def open_lines(studio: Studio, most: int) -> Iterable[dict[str, object]]:
    """The newest reviews that are open, for the overview."""
    return [line_of(studio, each) for each in studio.reviews.newest(0, most, state=OPEN)]
