"""What is in the tables of reviews, as typed values."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from alo.database.connection import Row, marks
from alo.errors import UsageError
from alo.review.decisions import UNDECIDED, Decision, RecordState, Reviewed
from alo.review.labels import Label, Labels
from alo.review.record_ids import record_id, run_and_row, run_in
from alo.review.settings import REQUEST, ROW, ReviewSettings
from alo.texts import counted

Read = Callable[[str, Sequence[object]], list[Row]]  # of a database, or within a transaction
OPEN, CLOSED = "open", "closed"
_CHUNK = 500  # values of one query: both databases take so many


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRun:
    """A run whose records are part of a population."""

    id: str
    first: int  # the place of its row 0 in the population
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record of a population."""

    at: int  # its place there
    content: str
    predicted: str
    certainty: float | None
    probabilities: Mapping[str, float]
    source: str | None = None  # None: it is not in the queue
    stratum: str | None = None
    weight: float | None = None
    uncertain_place: int | None = None
    is_second_look: bool = False
    state: str = UNDECIDED
    label: str | None = None  # the id of the one that it has by now
    place: int = 0  # in the queue; after it, the others in the order of the population


class SaidRecord(NamedTuple):
    """A record of which something is said, with what that comes to."""

    at: int  # its place in the population
    content: str
    predicted: str
    certainty: float | None
    source: str
    weight: float | None
    state: str
    label: str | None  # the id of a label
    by: str
    time: str


class NotInHistory(NamedTuple):
    """Inferences that history did not have when a review was made: it cannot speak for them."""

    runs: int = 0  # how many; 0: none, or that is not known
    since: str = ""  # UTC, when counting began

    @classmethod
    def of(cls, stored: object) -> NotInHistory:
        """What a review has stored."""
        if not isinstance(stored, Mapping) or type(stored.get("count")) is not int:
            return cls()
        return cls(stored["count"], str(stored.get("since") or ""))

    @property
    def note(self) -> str:
        """What is to be said of them; empty: nothing."""
        if not self.runs:
            return ""
        return (
            f"{counted(self.runs, 'inference is', 'inferences are')} not in history (counted since"
            f" {self.since}): the review, and its accuracy, is of those that are"
        )

    def to_json(self) -> dict[str, object]:
        """As a review stores it, and the studio has it."""
        return {"count": self.runs, "since": self.since}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A set of records that people review."""

    number: int
    name: str
    state: str  # open or closed
    person: str
    created: str
    asked: Mapping[str, object]  # what `new` was given, the seed, and what it found odd (notes)
    runs: Sequence[PopulationRun]
    counts: Mapping[str, int] = field(default_factory=dict)  # of records, joined and refused
    labels: Labels = field(default_factory=lambda: Labels(()))
    unit: str = ROW
    _by_id: Mapping[str, PopulationRun] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {run.id: run for run in self.runs})

    @property
    def settings(self) -> ReviewSettings:
        """What the columns of its runs mean."""
        return ReviewSettings.of(self.asked)

    @property
    def not_in_history(self) -> NotInHistory:
        """Inferences that it cannot speak for; of runs that were named, none are missing."""
        return NotInHistory.of(self.asked.get("not_kept"))

    def to_json(self) -> dict[str, object]:
        """Without its records."""
        return {
            "name": self.name,
            "state": self.state,
            "created": self.created,
            "by": self.person,
            "runs": [each.id for each in self.runs],
            "seed": self.asked.get("seed"),
            "population": self.counts.get("records", 0),
            "counts": dict(self.counts),
            "labels": [each.to_json() for each in self.labels.shown],
        }

    def record_id(self, at: int) -> str:
        """The id of the record at this place: its run and row, or its run alone."""
        run = self.runs[bisect_right(self.runs, at, key=lambda each: each.first) - 1]
        return run.id if self.unit == REQUEST else record_id(run.id, at - run.first)

    def has_run(self, run_id: str) -> bool:
        """Whether its population has records of a run."""
        return run_id in self._by_id

    def run_of(self, record: str) -> str:
        """The run of a record, by its id."""
        return record if self.unit == REQUEST else run_in(record)

    def place_of(self, record: str) -> int | None:
        """Where a record is in the population, by its id; None: it is of none of the runs."""
        return place_in(self._by_id, self.unit, record)


def place_in(runs: Mapping[str, PopulationRun], unit: str, record: str) -> int | None:
    """Where a record is in the population of some runs, by its id; None: it is of none of them.

    Args:
        runs: by their ids.
        unit: what a record is: a row or a whole request.
    """
    found = (record, 0) if unit == REQUEST else run_and_row(record)
    if found is None:
        return None
    run_id, row = found
    run = runs.get(run_id)
    return run.first + row if run is not None and row < run.records else None


def no_record(review: Review, record: str) -> UsageError:
    """The error for a record that a review does not have."""
    return UsageError(
        f"review '{review.name}' has no record '{record}'",
        fix="a record of it is a run, by its id"
        if review.unit == REQUEST
        else "a record is RUN:ROW, its row in output.csv from 0",
    )


REVIEW_COLUMNS = "number, name, state, person, created, asked, runs, counts, labels"
RECORD_COLUMNS = (
    "at, place, content, predicted, certainty, probabilities, source, stratum, weight,"
    " uncertain_place, is_second_look, state, label"
)
DECISION_COLUMNS = "at, number, verdict, label, note, person, time, look"


def named_review(read: Read, name: str) -> Review:
    """The review of this name.

    Raises:
        UsageError: there is none.
    """
    found = read(f"SELECT {REVIEW_COLUMNS} FROM reviews WHERE name = ?", (name,))  # noqa: S608 - names of ours
    if not found:
        raise UsageError(f"there is no review '{name}'", fix="alo review list names them")
    return review_of(found[0])


def review_of(row: Row) -> Review:
    """A row of ``REVIEW_COLUMNS``."""
    number, name, state, person, created, asked, runs, counts, labels = row
    given = json.loads(asked)
    return Review(
        number=number,
        name=name,
        state=state,
        person=person,
        created=created,
        asked=given,
        runs=[PopulationRun(**each) for each in json.loads(runs)],
        counts=json.loads(counts),
        labels=Labels(Label(**each) for each in json.loads(labels)),
        unit=str(given.get("unit", ROW)),
    )


def record_of(row: Row) -> StoredRecord:
    """A row of ``RECORD_COLUMNS``."""
    (at, place, content, predicted, certainty, probabilities, source, stratum) = row[:8]
    weight, uncertain_place, is_second_look, state, label = row[8:]
    return StoredRecord(
        at=at,
        place=place,
        content=content,
        predicted=predicted,
        certainty=certainty,
        probabilities=json.loads(probabilities) if probabilities else {},
        source=source,
        stratum=stratum,
        weight=weight,
        uncertain_place=uncertain_place,
        is_second_look=bool(is_second_look),
        state=state,
        label=label,
    )


def probabilities_text(probabilities: Mapping[str, float]) -> str:
    """As the column has them: JSON, by hand, since a population has a hundred thousand."""
    if not probabilities:
        return ""
    return _template(*probabilities) % (*probabilities.values(),)


@cache
def _template(*names: str) -> str:
    shares = [f"{json.dumps(name)}: ".replace("%", "%%") + "%r" for name in names]
    return f"{{{', '.join(shares)}}}"


def labels_json(labels: Labels) -> str:
    """As the column ``labels`` has them."""
    return json.dumps(
        [
            {"id": it.id, "name": it.name, "key": it.key, "colour": it.colour, "into": it.into}
            for it in labels.everything
        ]
    )


def reviewed(record: StoredRecord) -> Reviewed:
    """What decisions have to know of a record."""
    return Reviewed(predicted=record.predicted, is_second_look=record.is_second_look)


def records_at(read: Read, review: int, places: Iterable[int]) -> dict[int, StoredRecord]:
    """The records at these places of a population."""
    found = _in_chunks(read, f"SELECT {RECORD_COLUMNS} FROM review_records", review, places)  # noqa: S608 - names of ours
    return {record.at: record for record in map(record_of, found)}


def decisions_at(read: Read, review: int, places: Iterable[int]) -> dict[int, list[Decision]]:
    """All decisions of these records, in their order."""
    found: dict[int, list[Decision]] = {}
    for at, number, verdict, label, note, person, time, look in sorted(
        _in_chunks(read, f"SELECT {DECISION_COLUMNS} FROM decisions", review, places),  # noqa: S608 - names of ours
        key=lambda row: int(row[1]),
    ):
        found.setdefault(at, []).append(
            Decision(
                number=number,
                verdict=verdict,
                label=label,
                note=note,
                person=person,
                time=time,
                look=look,
            )
        )
    return found


def _in_chunks(read: Read, select: str, review: int, places: Iterable[int]) -> list[Row]:
    wanted = sorted(set(places))
    found: list[Row] = []
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        found += read(f"{select} WHERE review = ? AND at IN ({marks(part)})", (review, *part))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShown:
    """A record with what was said of it, as one person sees it."""

    id: str
    record: StoredRecord
    state: RecordState
    label: str | None  # the name of now

    def to_json(self) -> dict[str, object]:
        """An element of ``items``."""
        record, state = self.record, self.state
        return {
            "record": self.id,
            "content": record.content,
            "run": run_in(self.id),
            "predicted": record.predicted,
            "certainty": record.certainty,
            "probabilities": dict(record.probabilities),
            "label": self.label,
            "state": state.state,
            "source": record.source,
            "stratum": record.stratum,
            "weight": record.weight,
            "seen": state.seen,
            "by": state.by or None,
            "at": state.at or None,
            "note": state.note,
            "second_look": record.is_second_look,
        }
