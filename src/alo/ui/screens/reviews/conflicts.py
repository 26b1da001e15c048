"""``/reviews/{name}/conflicts``: what two people see differently, side by side, to be settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import quote

from alo.loop.record_inputs import record_inputs
from alo.review.decisions import CONFLICT, Decision, both_looks
from alo.review.finding import Finder, RecordFilter
from alo.review.rows import CLOSED, ItemShown, Review, decisions_at
from alo.ui.access.roles import OPERATOR
from alo.ui.ask import Ask
from alo.ui.live.reviews import newest_decision
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import limit_of
from alo.ui.screens.reviews.label import Case, case_of
from alo.ui.screens.reviews.named import named

IN_CONFLICT = RecordFilter(states=(CONFLICT,))


@dataclass(frozen=True, slots=True)
class Given:
    """What one of the two has said."""

    label: str
    by: str
    at: str
    note: str

    def to_json(self) -> dict[str, str]:
        """An element of ``answers``."""
        return {"label": self.label, "by": self.by, "at": self.at, "note": self.note}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A record with both answers."""

    case: Case
    answers: Sequence[Given]
    may_settle: bool  # who asks
    key: str  # of the decision that settles it

    def to_json(self) -> dict[str, object]:
        """An element of ``items``."""
        answers = [each.to_json() for each in self.answers]
        return {**self.case.to_json(), "answers": answers, "may_settle": self.may_settle}


def show(ask: Ask) -> Page:
    """The records that two people have labelled differently, in the order of the queue."""
    ask.query.allow("page", "limit")
    review, limit = named(ask), limit_of(ask.query)
    after = ask.query.number("page", -1, 0, 10**12)
    finder = Finder(ask.studio.database, review, ask.who.name)
    items = finder.items(IN_CONFLICT, after=after, limit=limit + 1)
    found = _conflicts(ask, review, items[:limit])
    following = None
    if len(items) > limit:
        last = str(items[limit - 1].record.place)
        following = ask.query.link(page=last, limit=ask.query.one("limit"))
    content = {
        "items": [each.to_json() for each in found],
        "next": following,
        "total": finder.count(IN_CONFLICT),
    }
    shown = {
        "review": review,
        "conflicts": found,
        "is_first": not ask.query.one("page"),
        "base": f"/reviews/{quote(review.name)}",
        "after": newest_decision(ask.studio.database, review),
        "is_closed": review.state == CLOSED,
        "command": f"alo review show {review.name}",
    }
    return Page("conflicts", review.name, content, shown, folder="reviews/")


def _conflicts(ask: Ask, review: Review, items: Sequence[ItemShown]) -> list[Conflict]:
    inputs = record_inputs(ask.studio.workspace, review, [each.id for each in items])
    places = [each.record.at for each in items]
    said = decisions_at(ask.studio.database.read, review.number, places)
    found: list[Conflict] = []
    for item in items:
        both = both_looks(said[item.record.at])
        if both is None:  # it was settled a moment ago
            continue
        is_third = ask.who.name not in {each.person for each in both}
        found.append(
            Conflict(
                case_of(review, item, inputs[item.id]),
                [_given(review, each) for each in both],
                is_third or ask.who.may(OPERATOR),
                token_hex(16),
            )
        )
    return found


def _given(review: Review, said: Decision) -> Given:
    return Given(str(review.labels.name_of(said.label)), said.person, said.time, said.note)
