"""Which records of a review have a text in what the model was given."""

from __future__ import annotations

from alo.layout import Workspace
from alo.loop.record_inputs import record_inputs
from alo.review.rows import Review


def places_with(workspace: Workspace, review: Review, text: str) -> set[int]:
    """The places in the population of the records whose input has it, whatever the case.

    A run is read at once; what cannot be read of it has no text.
    """
    wanted, found = text.casefold(), set[int]()
    for run in review.runs:
        rows = range(1 if review.unit == "request" else run.records)
        places = {review.record_id(run.first + row): run.first + row for row in rows}
        for record, given in record_inputs(workspace, review, places).items():
            if wanted in "\n".join(given.values).casefold():
                found.add(places[record])
    return found
