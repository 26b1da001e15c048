"""The paths of reviews: their screens, and what is decided."""

from __future__ import annotations

from alo.ui.access.roles import REVIEWER, VIEWER
from alo.ui.routing.operations import Operation
from alo.ui.routing.review_operations import DECISIONS, ITEMS, RESULTS, UNDO
from alo.ui.routing.route import Route
from alo.ui.screens.reviews import decisions, items

REVIEW_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/reviews/{name}/items",
        items.show,
        VIEWER,
        "All records of a review with what was said of them, the queue first",
        Operation(("items_limit", "page"), answers=ITEMS),
    ),
    Route(
        "POST",
        "/reviews/{name}/decisions",
        decisions.send,
        REVIEWER,
        "Decide on records: each is judged alone, and answered in its place",
        Operation(body=DECISIONS, answers=RESULTS),
        most_body=20_000_000,
    ),
    Route(
        "POST",
        "/reviews/{name}/undo",
        decisions.take_back,
        REVIEWER,
        "Take back one's last action, or bring it again",
        Operation(body=UNDO, answers=RESULTS),
    ),
)
