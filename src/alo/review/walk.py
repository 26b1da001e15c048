"""The way of one person through a queue: where to begin, what is next, what they said last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alo.database.connection import Database
from alo.review.decisions import UNDECIDED
from alo.review.finding import Finder, RecordFilter
from alo.review.queue import PICKED, RANDOM, UNCERTAIN
from alo.review.reviews import Reviews
from alo.review.rows import ItemShown, Review

QUEUE = (RANDOM, UNCERTAIN, PICKED)
LAST = 10  # decisions that are shown again


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


def last_said(database: Database, review: Review, person: str) -> list[Said]:
    """The last decisions of a person, the newest first."""
    found = database.read(
        "SELECT at, verdict, label, note, time FROM decisions WHERE review = ? AND person = ?"
        " ORDER BY number DESC LIMIT ?",
        (review.number, person, LAST),
    )
    return [
        Said(review.record_id(int(at)), verdict, review.labels.name_of(label), note, time)
        for at, verdict, label, note, time in found
    ]
