"""Which records of a review a filter finds, as one person sees them: the queue first, then others.

What a record has come to is in its row; only where a person has not to see what another said of
it first, the row says more than that person may know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alo.database.connection import Database, marks
from alo.review.decisions import ACCEPTED, CHANGED, UNDECIDED, RecordState, state_of
from alo.review.reviews import shown
from alo.review.rows import (
    RECORD_COLUMNS,
    ItemShown,
    Review,
    StoredRecord,
    decisions_at,
    no_record,
    record_of,
    records_at,
    reviewed,
)
from alo.texts import looks

NO_SOURCE = "none"  # of a record that is in nobody's queue


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFilter:
    """What records have to be; without anything, all are."""

    states: Collection[str] = ()
    sources: Collection[str] = ()
    predicted: str = ""
    label: str = ""  # its name of now


ALL = RecordFilter()


class Finder:
    """The records of one review, as one person sees them.

    Args:
        person: who looks; None: all that was said is seen.
    """

    def __init__(self, database: Database, review: Review, person: str | None) -> None:
        self._database, self._review, self._person = database, review, person
        self._otherwise = self._seen_otherwise()

    def items(
        self, wanted: RecordFilter = ALL, *, after: int = -1, limit: int
    ) -> Sequence[ItemShown]:
        """Records that a filter finds, in their order.

        Args:
            after: the place of the last one of the page before.
        """
        condition, values = self._condition(wanted)
        found = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM review_records WHERE {condition} AND place > ?"  # noqa: S608 - names of ours
            " ORDER BY place LIMIT ?",
            (*values, after, limit),
        )
        return self._shown([record_of(row) for row in found])

    def with_text(
        self, wanted: RecordFilter, text: str, given: Collection[int]
    ) -> Sequence[tuple[int, int]]:
        """The places of those that have a text, in their order: in it, and in the population.

        Args:
            given: the places in the population of records that have it in their input.
        """
        condition, values = self._condition(wanted)
        found = self._database.read(
            f"SELECT place, at, predicted, label FROM review_records WHERE {condition}"  # noqa: S608 - names of ours
            " ORDER BY place",
            values,
        )
        text = text.casefold()
        having = {*given, *self._noted(text), *self._called(text)}
        predictions = {each for each in {row[2] for row in found} if text in each.casefold()}
        labels = {each.id for each in self._review.labels.everything if self._has(each.id, text)}
        return [
            (place, at)
            for place, at, predicted, label in found
            if at in having
            or predicted in predictions
            or (labels and self._own_label(at, label) in labels)
        ]

    def at(self, places: Sequence[int]) -> Sequence[ItemShown]:
        """The records at these places of the population, in this order."""
        found = records_at(self._database.read, self._review.number, places)
        return self._shown([found[at] for at in places])

    def named(self, names: Iterable[str]) -> Sequence[ItemShown]:
        """Some records by their ids, each once.

        Raises:
            UsageError: the review has no such record.
        """
        places = {name: self._review.place_of(name) for name in names}
        known = [at for at in places.values() if at is not None]
        found = records_at(self._database.read, self._review.number, known)
        for name, at in places.items():
            if at not in found:
                raise no_record(self._review, name)
        return self._shown([found[at] for at in known])

    def _shown(self, records: Sequence[StoredRecord]) -> Sequence[ItemShown]:
        said = decisions_at(
            self._database.read,
            self._review.number,
            (each.at for each in records if each.source is not None),  # else nobody decided on it
        )
        return [shown(self._review, each, said.get(each.at, []), self._person) for each in records]

    def before(self, wanted: RecordFilter, place: int) -> str:
        """The id of the last record that a filter finds before a place; empty: there is none."""
        condition, values = self._condition(wanted)
        found = self._database.read(
            f"SELECT at FROM review_records WHERE {condition} AND place < ?"  # noqa: S608 - names of ours
            " ORDER BY place DESC LIMIT 1",
            (*values, place),
        )
        return self._review.record_id(int(found[0][0])) if found else ""

    def count(self, wanted: RecordFilter = ALL) -> int:
        """How many records a filter finds."""
        condition, values = self._condition(wanted)
        return int(
            self._database.read(
                f"SELECT count(*) FROM review_records WHERE {condition}",  # noqa: S608 - names of ours
                values,
            )[0][0]
        )

    def _condition(self, wanted: RecordFilter) -> tuple[str, Sequence[object]]:
        conditions = ["review = ?"]
        values: list[object] = [self._review.number]
        if wanted.predicted:
            conditions.append("predicted = ?")
            values.append(self._prediction(wanted.predicted))
        if wanted.sources:
            named = [each for each in wanted.sources if each != NO_SOURCE]
            unqueued = " OR source IS NULL" if NO_SOURCE in wanted.sources else ""
            conditions.append(f"({_among('source', named)}{unqueued})")
            values += named
        if wanted.states or wanted.label:
            said, own = self._said(wanted)
            conditions.append(said)
            values += own
        return " AND ".join(conditions), values

    def _said(self, wanted: RecordFilter) -> tuple[str, Sequence[object]]:
        """The condition of what was said, as the person sees it."""
        states = wanted.states or (ACCEPTED, CHANGED)
        labels = self._label_ids(wanted.label) if wanted.label else []
        condition, values = _among("state", states), [*states, *labels]
        condition += f" AND {_among('label', labels)}" if wanted.label else ""
        if not self._otherwise:
            return condition, values
        fitting = [
            at
            for at, seen in self._otherwise.items()
            if seen.state in states and (not wanted.label or seen.label in labels)
        ]
        others = f"NOT ({_at_places(self._otherwise)})"
        return f"(({condition} AND {others}) OR {_at_places(fitting)})", values

    def _has(self, label: str, text: str) -> bool:
        return text in str(self._review.labels.name_of(label)).casefold()

    def _own_label(self, at: int, label: str | None) -> str | None:
        return self._otherwise[at].label if at in self._otherwise else label

    def _noted(self, text: str) -> Collection[int]:
        """The places of the records whose notes have a text, those left out that are not seen."""
        found = self._database.read(
            "SELECT at, note FROM decisions WHERE review = ? AND note <> ''",
            (self._review.number,),
        )
        return {at for at, note in found if text in note.casefold()} - self._otherwise.keys()

    def _called(self, text: str) -> Iterator[int]:
        """The places of the records whose ids have a text."""
        is_of_row = ":" in text or text.isdecimal()
        for run in self._review.runs:
            places = range(run.first, run.first + run.records)
            if text in run.id.casefold():
                yield from places
            elif is_of_row:
                ids = map(self._review.record_id, places)
                yield from (
                    at for at, name in zip(places, ids, strict=True) if text in name.casefold()
                )

    def _label_ids(self, name: str) -> Sequence[str]:
        labels = self._review.labels
        meant = labels.like(name)
        return [each.id for each in labels.everything if labels.name_of(each.id) == meant]

    def _prediction(self, name: str) -> str:
        """What the model says that is called so, or is all that looks so."""
        ids = [each.id for each in self._review.labels.everything]
        alike = [each for each in ids if looks(each) == looks(name)]
        return alike[0] if len(alike) == 1 else name

    def _seen_otherwise(self) -> Mapping[int, RecordState]:
        """The records of which the person sees something else than their row says."""
        if self._person is None or not self._review.asked.get("second_look"):
            return {}
        read, number = self._database.read, self._review.number
        found = read(
            "SELECT at FROM review_records WHERE review = ? AND source IS NOT NULL"
            " AND is_second_look = 1 AND state <> ?",
            (number, UNDECIDED),
        )
        places = [int(row[0]) for row in found]
        said = decisions_at(read, number, places)
        otherwise: dict[int, RecordState] = {}
        for at, record in records_at(read, number, places).items():
            state = state_of(reviewed(record), said.get(at, []), self._person)
            if (state.state, state.label) != (record.state, record.label):
                otherwise[at] = state
        return otherwise


def _at_places(places: Iterable[int]) -> str:
    """As numbers in the text: no database takes parameters by the ten thousand."""
    return f"at IN ({', '.join(map(str, places)) or 'NULL'})"


def _among(column: str, values: Collection[object]) -> str:
    return f"{column} IN ({marks(values) or 'NULL'})"
