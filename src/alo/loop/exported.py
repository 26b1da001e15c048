"""A review as a file: the queue with its labels, and with what the model was given."""

from __future__ import annotations

from pathlib import Path

from alo.layout import Workspace
from alo.loop.accuracy_of import every_item
from alo.loop.record_inputs import record_inputs
from alo.review.exchange import export_text
from alo.review.results.inputs import RecordInput
from alo.review.reviews import Reviews
from alo.review.rows import Review


def exported(workspace: Workspace, reviews: Reviews, review: Review, form: str) -> str:
    """The queue of a review, as `alo review export` writes it."""
    items = every_item(reviews, review, queue_only=True)
    inputs = record_inputs(workspace, review, [each.id for each in items])
    given = {record: _given(workspace.home, each) for record, each in inputs.items()}
    return export_text(items, form, given)


def _given(home: Path, given: RecordInput) -> dict[str, str]:
    """What the model was given, by column; of a picture and of whole files, their paths."""
    if given.picture is not None:
        return {"picture": _path(home, given.picture)}
    if given.files:
        return {"files": ", ".join(_path(home, path) for path in given.files.values())}
    return dict(zip(given.columns, given.values, strict=True))


def _path(home: Path, path: Path) -> str:
    """As it is in the project."""
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.as_posix()
