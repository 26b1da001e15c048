"""The paths of reviews: their screens, and what is decided."""

from __future__ import annotations

from alo.ui.access.roles import REVIEWER, VIEWER
from alo.ui.routing.operations import (
    BYTES,
    DONE,
    EMPTY,
    LISTED,
    QUEUED,
    Answer,
    Operation,
    reference,
)
from alo.ui.routing.review_operations import BULK, DECISIONS, ITEMS, LABELS, NEW, RESULTS, UNDO
from alo.ui.routing.route import Route
from alo.ui.screens.reviews import (
    bulk,
    decisions,
    estimate,
    found_records,
    index,
    items,
    labels,
    manage,
    new,
    records,
)

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
    Route(
        "GET",
        "/reviews",
        index.show,
        VIEWER,
        "Reviews, with how far each is",
        Operation(("review_state", "page", "limit"), answers=LISTED),
    ),
    Route(
        "POST",
        "/reviews",
        new.start,
        REVIEWER,
        "Make a review as a job",
        Operation(body=NEW, answers=QUEUED),
    ),
    Route(
        "GET",
        "/reviews/{name}",
        records.show,
        VIEWER,
        "A review: its records, its labels, and what is known by it",
        Operation(
            (*found_records.FILTERS, "page", "limit"),
            answers={"200": Answer(reference("Review"))},
        ),
    ),
    Route(
        "GET",
        "/reviews/{name}/accuracy",
        estimate.show,
        VIEWER,
        "How accurate the model is by a review",
        Operation(("method",), answers={"200": Answer(reference("Accuracy"))}),
    ),
    Route(
        "GET",
        "/reviews/{name}/export",
        manage.export,
        VIEWER,
        "The queue of a review with its labels, as a file",
        Operation(("export_format",), answers=BYTES, is_data=False),
    ),
    Route(
        "POST",
        "/reviews/{name}/bulk",
        bulk.send,
        REVIEWER,
        "The same decision for many records, as one action",
        Operation(body=BULK, answers=DONE),
    ),
    Route(
        "POST",
        "/reviews/{name}/labels",
        labels.change,
        REVIEWER,
        "Add, rename, merge, recolour or delete a label",
        Operation(body=LABELS, answers=DONE),
    ),
    Route(
        "POST",
        "/reviews/{name}/close",
        manage.close,
        REVIEWER,
        "Close a review: nothing more is decided in it",
        Operation(body=EMPTY, answers=DONE),
    ),
    Route(
        "POST",
        "/reviews/{name}/reopen",
        manage.reopen,
        REVIEWER,
        "Continue a review that was closed",
        Operation(body=EMPTY, answers=DONE),
    ),
)
