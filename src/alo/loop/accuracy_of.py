"""How accurate the model is by a review: what of its decisions counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alo.review.accuracy import STRATIFIED, Accuracy, Answer, accuracy
from alo.review.decisions import ACCEPTED, CHANGED, FLAGGED, SKIPPED
from alo.review.queue import PICKED, RANDOM
from alo.review.reviews import MOST_ITEMS, Reviews
from alo.review.rows import ItemShown, Review, StoredRecord

LABELLED = (ACCEPTED, CHANGED)
LEFT_OUT = (SKIPPED, FLAGGED)


def accuracy_of(reviews: Reviews, review: Review, method: str = STRATIFIED) -> Accuracy:
    """The estimate that a review gives at this moment.

    Random items count up to the first that is undecided, and so do the uncertain ones, in their
    own order; what was skipped or flagged is left out.
    """
    population = reviews.population(review)
    index = {at: place for place, at in enumerate(population)}
    queue = reviews.queue(review)
    unsure = sorted(
        (each for each in queue if each.uncertain_place is not None),
        key=lambda each: each.uncertain_place or 0,
    )
    return accuracy(
        list(population.values()),
        random=_answers(review, (each for each in queue if each.source == RANDOM), index),
        uncertain=_answers(review, unsure, index),
        picked=sum(each.source == PICKED and each.state in LABELLED for each in queue),
        method=method,
    )


def every_item(reviews: Reviews, review: Review, *, queue_only: bool = False) -> list[ItemShown]:
    """All records of a review, the queue first in its order."""
    items: list[ItemShown] = []
    after = -1
    while page := reviews.items(review, after=after, limit=MOST_ITEMS, queue_only=queue_only):
        items += page
        after = page[-1].record.place
    return items


def _answers(
    review: Review, records: Iterable[StoredRecord], index: Mapping[int, int]
) -> list[Answer]:
    found: list[Answer] = []
    for record in records:
        if record.state in LEFT_OUT:
            continue
        if record.state not in LABELLED:
            break
        name = review.labels.name_of
        found.append(Answer(index[record.at], name(record.label) == name(record.predicted)))
    return found
