"""The way of one person through a queue: where to begin, what is next, what they said last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from alo.database.connection import Database
from alo.review.decisions import STATE_OF, UNDECIDED
from alo.review.finding import Finder, RecordFilter
from alo.review.queue import PICKED, RANDOM, UNCERTAIN
from alo.review.reviews import Reviews
from alo.review.rows import ItemShown, Review

QUEUE = (RANDOM, UNCERTAIN, PICKED)
LAST = 10  # decisions that are shown again
UNDONE, REDONE = "undone", "redone"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some records of the queue, one behind the other, and the ids of their neighbours."""

    items: Sequence[ItemShown] = ()
    previous: str = ""
    next: str = ""


class Walk:
    """The records of a queue that a filter finds, in their order.

    Args:
        person: who walks; what they have not to see is not shown.
    """

    def __init__(
        self, database: Database, review: Review, person: str, wanted: RecordFilter
    ) -> None:
        self._database, self._review, self._person = database, review, person
        self._finder = Finder(database, review, person)
        self._wanted = wanted if wanted.sources else replace(wanted, sources=QUEUE)

    def at(self, record: str, limit: int) -> Stretch:
        """A record, also one that the filter does not find, and those behind it.

        Raises:
            UsageError: there is no such record.
        """
        item = Reviews(self._database).item(self._review, record, self._person)
        return self._from(item, limit)

    def open(self, limit: int, *, after: str = "") -> Stretch:
        """The first that is open behind a record, else the first of all; and those behind it.

        Open is what is undecided, or, where the filter names states, whatever it finds.

        Args:
            after: a record; empty: the beginning.
        Raises:
            UsageError: there is no such record.
        """
        wanted = self._wanted
        if not wanted.states:
            wanted = replace(wanted, states=(UNDECIDED,))
        places = [-1]
        if after:
            places.insert(
                0, Reviews(self._database).item(self._review, after, self._person).record.place
            )
        for place in places:
            for item in self._finder.items(wanted, after=place, limit=1):
                if item.id != after:
                    return self._from(item, limit)
        return Stretch()

    def _from(self, item: ItemShown, limit: int) -> Stretch:
        behind = self._finder.items(self._wanted, after=item.record.place, limit=limit)
        items = [item, *behind[: limit - 1]]
        before = self._finder.before(self._wanted, item.record.place)
        return Stretch(items, before, behind[limit - 1].id if len(behind) >= limit else "")


@dataclass(frozen=True, slots=True)
class Said:
    """One decision, as who made it sees it again."""

    record: str
    verdict: str
    label: str | None
    note: str
    time: str
    taken: str = ""  # how it was said: by an undo, or a redo; empty: by a decision of its own

    @property
    def state(self) -> str:
        """The state that it gives the record."""
        return STATE_OF[self.verdict]


def last_said(database: Database, review: Review, person: str) -> list[Said]:
    """The last decisions of a person, the newest first."""
    found = database.read(
        "SELECT at, verdict, label, note, time, action FROM decisions"
        " WHERE review = ? AND person = ? ORDER BY number DESC LIMIT ?",
        (review.number, person, LAST),
    )
    undoes = database.read(
        "SELECT action, undoes FROM review_actions"
        " WHERE review = ? AND person = ? AND undoes <> '' ORDER BY number",
        (review.number, person),
    )
    taken = _taken({str(action): str(other) for action, other in undoes})
    name = review.labels.name_of
    return [
        Said(
            review.record_id(int(at)), verdict, name(label), note, time, taken.get(str(action), "")
        )
        for at, verdict, label, note, time, action in found
    ]


def _taken(undoes: Mapping[str, str]) -> dict[str, str]:
    """Which actions take another one back, and which bring again what one of those has taken.

    Args:
        undoes: action -> the one that it takes back, in their order.
    """
    found: dict[str, str] = {}
    for action, other in undoes.items():
        found[action] = REDONE if found.get(other) == UNDONE else UNDONE
    return found
