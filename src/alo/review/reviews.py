"""The reviews of a project: made, listed, shown, their labels changed, closed, removed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from alo.database.connection import Connection, Database
from alo.errors import LabelError, UsageError
from alo.review.agreement import Agreement, agreement
from alo.review.decisions import UNDECIDED, Decision, Reviewed, both_looks, state_of
from alo.review.labels import Labels
from alo.review.queue import QueueItem
from alo.review.results.records import FoundRecord
from alo.review.rows import (
    OPEN,
    RECORD_COLUMNS,
    REVIEW_COLUMNS,
    ItemShown,
    PopulationRun,
    Review,
    SaidRecord,
    StoredRecord,
    decisions_at,
    labels_json,
    named_review,
    no_record,
    probabilities_text,
    record_of,
    records_at,
    review_of,
    reviewed,
)
from alo.review.strata import Case
from alo.texts import check_plain_name

MOST_ITEMS = 1000  # of one page


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDraft:
    """A review that is to be stored."""

    name: str
    person: str
    created: str  # UTC
    asked: Mapping[str, object]  # what it was made of, for people and for `show`
    runs: Sequence[PopulationRun]
    counts: Mapping[str, int]  # of records, joined and refused
    labels: Labels
    records: Sequence[FoundRecord]  # the population, in its order
    queue: Sequence[QueueItem]  # those to review; `at` is the place in `records`


class Reviews:
    """All reviews of a project, in its database of what people made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, draft: ReviewDraft) -> Review:
        """Store a review, whole or not at all.

        Raises:
            UsageError: there is one of that name, or no review can be called so.
        """
        check_name(draft.name)
        with self._database.transaction() as rows:
            check_free(rows, draft.name)
            stored = (
                draft.name,
                OPEN,
                draft.person,
                draft.created,
                json.dumps(draft.asked),
                json.dumps([asdict(each) for each in draft.runs]),
                json.dumps(draft.counts),
                labels_json(draft.labels),
            )
            rows.execute(
                "INSERT INTO reviews (name, state, person, created, asked, runs, counts, labels)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                stored,
            )
            review = named_review(rows.execute, draft.name)
            _insert(rows, review.number, draft.records, draft.queue)
        return review

    def all(self) -> list[Review]:
        """Every review, the newest first."""
        found = self._database.read(f"SELECT {REVIEW_COLUMNS} FROM reviews ORDER BY number DESC")  # noqa: S608 - names of ours
        return [review_of(row) for row in found]

    def newest(self, below: int = 0, limit: int = 50, *, state: str = "") -> list[Review]:
        """Some of them, the newest first.

        Args:
            below: only those with a smaller number; 0: all.
            state: only those that are open or closed; empty: all.
        """
        condition, values = _those(below, state)
        found = self._database.read(
            f"SELECT {REVIEW_COLUMNS} FROM reviews WHERE {condition}"  # noqa: S608 - names of ours
            " ORDER BY number DESC LIMIT ?",
            (*values, limit),
        )
        return [review_of(row) for row in found]

    def count(self, state: str = "") -> int:
        """How many there are, in this state or in any."""
        condition, values = _those(0, state)
        found = self._database.read(f"SELECT count(*) FROM reviews WHERE {condition}", values)  # noqa: S608 - names of ours
        return int(found[0][0])

    def get(self, name: str) -> Review:
        """The review of this name.

        Raises:
            UsageError: there is none.
        """
        return named_review(self._database.read, name)

    def items(
        self,
        review: Review,
        *,
        after: int = -1,
        limit: int = MOST_ITEMS,
        queue_only: bool = False,
    ) -> list[ItemShown]:
        """Records with all that was said of them: the queue in its order, then all others.

        What one person sees of them, and those that a filter finds: ``finding:Finder``.

        Args:
            after: the place of the last one of the page before.
            queue_only: without the records that are in nobody's queue.
        """
        queued = " AND source IS NOT NULL" if queue_only else ""
        found = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM review_records WHERE review = ? AND place > ?{queued}"  # noqa: S608 - names of ours
            " ORDER BY place LIMIT ?",
            (review.number, after, min(limit, MOST_ITEMS)),
        )
        records = [record_of(row) for row in found]
        said = decisions_at(self._database.read, review.number, (each.at for each in records))
        return [shown(review, record, said.get(record.at, []), None) for record in records]

    def item(self, review: Review, record: str, person: str | None = None) -> ItemShown:
        """One record with what was said of it.

        Raises:
            UsageError: the review has no such record.
        """
        at = review.place_of(record)
        found = records_at(self._database.read, review.number, [] if at is None else [at])
        if at is None or at not in found:
            raise no_record(review, record)
        said = decisions_at(self._database.read, review.number, [at])
        return shown(review, found[at], said.get(at, []), person)

    def queue(self, review: Review) -> list[StoredRecord]:
        """The records that are or were to be reviewed, in their order."""
        found = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM review_records"  # noqa: S608 - names of ours
            " WHERE review = ? AND source IS NOT NULL ORDER BY place",
            (review.number,),
        )
        return [record_of(row) for row in found]

    def population(self, review: Review) -> dict[int, Case]:
        """What is known of each record without a look at it, by its place in the population."""
        found = self._database.read(
            "SELECT at, predicted, certainty FROM review_records WHERE review = ? ORDER BY at",
            (review.number,),
        )
        return {at: Case(predicted, certainty) for at, predicted, certainty in found}

    def said(self, review: Review) -> list[SaidRecord]:
        """The records of which something is said, in their order, with what that comes to."""
        found = self._database.read(
            "SELECT at, content, predicted, certainty, source, weight, state, label, is_second_look"
            " FROM review_records WHERE review = ? AND state <> ? ORDER BY place",
            (review.number, UNDECIDED),
        )
        last = {
            at: (person, time)
            for at, person, time in self._database.read(
                # In the order of the index: nothing is sorted.
                "SELECT at, person, time FROM decisions WHERE review = ? ORDER BY at, number",
                (review.number,),
            )
        }
        looked_at_twice = [at for at, *_, is_second_look in found if is_second_look]
        past = decisions_at(self._database.read, review.number, looked_at_twice)
        for at, those in past.items():
            state = state_of(Reviewed(predicted="", is_second_look=True), those)
            last[at] = (state.by, state.at)
        return [SaidRecord._make((*each[:-1], *last[each[0]])) for each in found]

    def decided(self, review: Review) -> list[str]:
        """The ids of the records of which something is said, skipped and flagged ones too."""
        found = self._database.read(
            "SELECT at FROM review_records WHERE review = ? AND state <> ? ORDER BY at",
            (review.number, UNDECIDED),
        )
        return [review.record_id(int(row[0])) for row in found]

    def states(self, review: Review) -> dict[str, int]:
        """How many records of the queue are in each state."""
        found = self._database.read(  # in the order of their index, so that none is sorted
            "SELECT source, state, count(*) FROM review_records"
            " WHERE review = ? AND source IS NOT NULL GROUP BY source, state",
            (review.number,),
        )
        counts: Counter[str] = Counter()
        for _, state, count in found:
            counts[str(state)] += int(count)
        return dict(counts)

    def agreement(self, review: Review) -> Agreement:
        """How far two people agree about the records that both have labelled."""
        if not review.asked.get("second_look"):
            return agreement([])
        found = self._database.read(
            "SELECT DISTINCT at FROM decisions WHERE review = ? AND look = 2", (review.number,)
        )
        said = decisions_at(self._database.read, review.number, (int(row[0]) for row in found))
        both = (both_looks(past) for past in said.values())
        name = review.labels.name_of
        return agreement(
            [(str(name(one.label)), str(name(two.label))) for one, two in filter(None, both)]
        )

    def change_labels(self, name: str, change: Callable[[Labels], Labels]) -> Review:
        """Rename, merge, recolour or add labels.

        Raises:
            UsageError: there is no such review, or the labels cannot be so.
        """
        with self._database.transaction() as rows:
            review = named_review(rows.execute, name)
            _set_labels(rows, review, change(review.labels))
            return named_review(rows.execute, name)

    def remove_label(self, name: str, label: str, into: str = "") -> Review:
        """Delete a label; one that decisions name only into another.

        Raises:
            UsageError: there is no such review or label, or decisions name it.
        """
        with self._database.transaction() as rows:
            review = named_review(rows.execute, name)
            if into:
                _set_labels(rows, review, review.labels.merge(label, into))
                return named_review(rows.execute, name)
            left = review.labels.without(label)
            gone = {each.id for each in review.labels.everything}
            gone -= {each.id for each in left.everything}
            for label_id in sorted(gone):
                if rows.execute(
                    "SELECT 1 FROM decisions WHERE review = ? AND label = ? LIMIT 1",
                    (review.number, label_id),
                ):
                    raise LabelError(
                        f"decisions name the label '{label}'", fix="name the label it goes into"
                    )
            _set_labels(rows, review, left)
            return named_review(rows.execute, name)

    def set_state(self, name: str, state: str) -> Review:
        """Close or reopen a review.

        Raises:
            UsageError: there is no such review.
        """
        with self._database.transaction() as rows:
            review = named_review(rows.execute, name)
            rows.execute("UPDATE reviews SET state = ? WHERE number = ?", (state, review.number))
            return named_review(rows.execute, name)

    def remove(self, name: str) -> Review:
        """Delete a review with everything that was said in it.

        Raises:
            UsageError: there is no such review.
        """
        with self._database.transaction() as rows:
            review = named_review(rows.execute, name)
            for table in ("decisions", "review_actions", "review_records"):
                rows.execute(f"DELETE FROM {table} WHERE review = ?", (review.number,))  # noqa: S608 - names of ours
            rows.execute("DELETE FROM reviews WHERE number = ?", (review.number,))
            return review


def _those(below: int, state: str) -> tuple[str, list[object]]:
    """The condition for reviews below a number, and in a state."""
    given = [("number < ?", below), ("state = ?", state)]
    wanted = [(text, value) for text, value in given if value]
    return " AND ".join([text for text, _ in wanted] or ["1 = 1"]), [value for _, value in wanted]


def check_free(rows: Connection, name: str) -> None:
    """Raises ``UsageError`` if there is a review of that name."""
    if rows.execute("SELECT 1 FROM reviews WHERE name = ?", (name,)):
        raise UsageError(
            f"there is a review '{name}'",
            fix="take another name; what is queued in it stays as it is, or its accuracy would be"
            " that of no sample: other records of its runs are decided there without a queue"
            f" (alo review decide {name}, or its table), and count as picked",
        )


def check_name(name: str) -> None:
    """Raises ``UsageError`` if no review can be called so: it is a part of URLs and of paths."""
    check_plain_name(name, "review")


def shown(
    review: Review, record: StoredRecord, said: Sequence[Decision], person: str | None
) -> ItemShown:
    """A record as one person sees it."""
    state = state_of(reviewed(record), said, person)
    return ItemShown(
        id=review.record_id(record.at),
        record=record,
        state=state,
        label=review.labels.name_of(state.label),
    )


def _set_labels(rows: Connection, review: Review, labels: Labels) -> None:
    rows.execute(
        "UPDATE reviews SET labels = ? WHERE number = ?", (labels_json(labels), review.number)
    )


def _insert(
    rows: Connection,
    review: int,
    records: Sequence[FoundRecord],
    queue: Sequence[QueueItem],
) -> None:
    queued = {item.at for item in queue}
    rows.execute_many(
        "INSERT INTO review_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            (
                review,
                *_stored(records[item.at], place),
                item.source,
                item.stratum,
                item.weight,
                item.uncertain_place,
                int(item.is_second_look),
                UNDECIDED,
            )
            for place, item in enumerate(queue)
        ),
    )
    rows.execute_many(
        f"INSERT INTO review_records VALUES ({review}, ?, ?, ?, ?, ?, ?,"  # noqa: S608 - ours
        f" NULL, NULL, NULL, NULL, 0, '{UNDECIDED}', NULL)",
        (
            (at, place, content, predicted, certainty, probabilities_text(probabilities))
            for place, (at, content, predicted, certainty, probabilities) in enumerate(
                records, len(queue)
            )
            if place - len(queue) not in queued
        ),
    )


def _stored(record: FoundRecord, place: int) -> Sequence[object]:
    at, content, predicted, certainty, probabilities = record
    return (at, place, content, predicted, certainty, probabilities_text(probabilities))
