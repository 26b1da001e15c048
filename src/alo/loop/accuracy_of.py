"""How accurate the model is by a review: what of its decisions counts."""

from __future__ import annotations

from alo.review.accuracy import Accuracy, Answer, accuracy
from alo.review.decisions import ACCEPTED, CHANGED, FLAGGED, SKIPPED
from alo.review.queue import PICKED, RANDOM
from alo.review.reviews import MOST_ITEMS, Reviews
from alo.review.rows import ItemShown, Review
from alo.review.strata import Case

LABELLED = (ACCEPTED, CHANGED)
LEFT_OUT = (SKIPPED, FLAGGED)


def accuracy_of(reviews: Reviews, review: Review, method: str = "stratified") -> Accuracy:
    """The estimate that a review gives at this moment.

    Random items count up to the first that is undecided, and so do the uncertain ones, in their
    own order; what was skipped or flagged is left out.
    """
    items = every_item(reviews, review)
    index = {item.record.at: place for place, item in enumerate(items)}
    random = [item for item in items if item.record.source == RANDOM]
    unsure = sorted(
        (item for item in items if item.record.uncertain_place is not None),
        key=lambda item: item.record.uncertain_place or 0,
    )
    return accuracy(
        [Case(item.record.predicted, item.record.certainty) for item in items],
        random=_answers(review, random, index),
        uncertain=_answers(review, unsure, index),
        picked=sum(item.record.source == PICKED and item.state.state in LABELLED for item in items),
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


def _answers(review: Review, items: list[ItemShown], index: dict[int, int]) -> list[Answer]:
    found: list[Answer] = []
    for item in items:
        if item.state.state in LEFT_OUT:
            continue
        if item.state.state not in LABELLED:
            break
        is_right = item.label == review.labels.name_of(item.record.predicted)
        found.append(Answer(index[item.record.at], is_right))
    return found
