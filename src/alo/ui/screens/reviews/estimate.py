"""``/reviews/{name}/accuracy``: how accurate the model is by a review, and how sure that is."""

from __future__ import annotations

from alo.review.accuracy import METHODS, STRATIFIED
from alo.ui.ask import Ask
from alo.ui.rendering.page import Page
from alo.ui.screens.reviews.named import named
from alo.ui.screens.reviews.records import chart_of


def show(ask: Ask) -> Page:
    """The estimate of this moment."""
    ask.query.allow("method")
    review = named(ask)
    method = ask.query.one("method", STRATIFIED, among=METHODS)
    estimate = ask.studio.accuracies.of(review, method)
    shown = {
        "review": review,
        "estimate": estimate,
        "chart": chart_of(estimate),
        "agreed": ask.studio.reviews.agreement(review),
        "methods": METHODS,
        "command": f"alo review accuracy {review.name} --method {method}",
    }
    return Page("accuracy", review.name, estimate.to_json(), shown, folder="reviews/")
