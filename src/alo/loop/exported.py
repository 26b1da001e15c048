"""A review as a file: the queue with its labels; for Label Studio with the inputs, too."""

from __future__ import annotations

from alo.layout import Workspace
from alo.loop.accuracy_of import every_item
from alo.loop.record_inputs import record_inputs
from alo.review.exchange import LABEL_STUDIO, export_text
from alo.review.reviews import Reviews
from alo.review.rows import Review


def exported(workspace: Workspace, reviews: Reviews, review: Review, form: str) -> str:
    """The queue of a review, as `alo review export` writes it."""
    items = list(every_item(reviews, review, queue_only=True))
    if form != LABEL_STUDIO:
        return export_text(items, form)
    inputs = record_inputs(workspace, review, [each.id for each in items])
    given = {
        record: dict(zip(each.columns, each.values, strict=True)) for record, each in inputs.items()
    }
    return export_text(items, form, given)
