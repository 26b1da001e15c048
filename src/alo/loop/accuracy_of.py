"""How accurate the model is by a review: what of its decisions counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from alo.review.accuracy import STRATIFIED, Accuracy, Answer, accuracy
from alo.review.decisions import ACCEPTED, CHANGED, FLAGGED, SKIPPED
from alo.review.queue import PICKED, RANDOM
from alo.review.reviews import MOST_ITEMS, Reviews
from alo.review.rows import ItemShown, Review, StoredRecord

LABELLED = (ACCEPTED, CHANGED)
LEFT_OUT = (SKIPPED, FLAGGED)


class _Counted(NamedTuple):
    """What counts of records in one order."""

    answers: Sequence[Answer]
    waiting: Sequence[StoredRecord]  # decided, behind the first that is undecided
    first_open: StoredRecord | None  # that one


def accuracy_of(reviews: Reviews, review: Review, method: str = STRATIFIED) -> Accuracy:
    """The estimate that a review gives at this moment.

    Random items count up to the first that is undecided, and so do the uncertain ones, in their
    own order; what was skipped or flagged is left out. How many decided ones do not count yet, and
    which record they wait for, is said.
    """
    population = reviews.population(review)
    index = {at: place for place, at in enumerate(population)}
    queue = reviews.queue(review)
    unsure = sorted(
        (each for each in queue if each.uncertain_place is not None),
        key=lambda each: each.uncertain_place or 0,
    )
    random = _counted(review, [each for each in queue if each.source == RANDOM], index)
    uncertain = _counted(review, unsure, index)
    found = accuracy(
        list(population.values()),
        random=random.answers,
        uncertain=uncertain.answers,
        picked=sum(each.source == PICKED and each.state in LABELLED for each in queue),
        method=method,
    )
    counts = {answer.at for each in (random, uncertain) for answer in each.answers}
    waiting: set[int] = set()
    for each in (random, uncertain):
        those = {record.at for record in each.waiting if index[record.at] not in counts}
        if those and not waiting and each.first_open is not None:
            found = replace(found, waits_for=review.record_id(each.first_open.at))
        waiting |= those
    return replace(found, waiting=len(waiting))


def every_item(reviews: Reviews, review: Review, *, queue_only: bool = False) -> list[ItemShown]:
    """All records of a review, the queue first in its order."""
    items: list[ItemShown] = []
    after = -1
    while page := reviews.items(review, after=after, limit=MOST_ITEMS, queue_only=queue_only):
        items += page
        after = page[-1].record.place
    return items


def _counted(review: Review, records: Sequence[StoredRecord], index: Mapping[int, int]) -> _Counted:
    name = review.labels.name_of
    answers: list[Answer] = []
    for place, record in enumerate(records):
        if record.state in LEFT_OUT:
            continue
        if record.state not in LABELLED:
            waiting = [each for each in records[place:] if each.state in LABELLED]
            return _Counted(answers, waiting, record)
        answers.append(Answer(index[record.at], name(record.label) == name(record.predicted)))
    return _Counted(answers, (), None)
