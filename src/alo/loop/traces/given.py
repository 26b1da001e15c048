"""What a model was given for a record: its input file and row, or picture, and its content id.

A review says how its results and inputs are joined; of a record in no review, the plan does, as it
would for a new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from alo.errors import AloError
from alo.history.browse import Entry
from alo.layout import Workspace
from alo.loop.plan_settings import label_of_run, settings_of_plan
from alo.loop.record_inputs import NOT_KEPT, files_below, record_inputs, run_files, run_inputs
from alo.loop.traces.graph import PRUNED
from alo.review.results.inputs import RecordInput
from alo.review.results.tables import missing_columns, output_path
from alo.review.rows import Review
from alo.review.settings import ROW, ReviewSettings
from alo.tables.reading import columns_of

MOST_FILES = 20  # of a whole run that are named

Facts = Mapping[str, object]


class Given(NamedTuple):
    """What a model was given for a record."""

    input: RecordInput
    content: str = ""  # its id; empty: a review knows it, or it is not known

    def facts(self) -> Facts:
        """As the node of the input has it."""
        given = self.input
        if given.why:
            return {"state": PRUNED, "why": given.why}
        if not (given.table or given.picture or given.files):  # what is known is of the output
            return {"state": PRUNED, "why": NOT_KEPT}
        file = given.table or (given.picture.name if given.picture else "")
        return {"file": file, "row": given.row, "files": list(given.files)[:MOST_FILES]}


def given_in_review(workspace: Workspace, reviews: Iterable[Review], record: str) -> Given | None:
    """As the reviews that have a record know it, or have copied it; None: there is no review."""
    found = None
    for review in reviews:
        found = record_inputs(workspace, review, [record])[record]
        if not found.why:
            break
    return Given(found) if found else None


def given_by_plan(workspace: Workspace, entry: Entry, record: str) -> Given:
    """Of a row of a run's results that is in no review."""
    settings = _settings(workspace, entry)
    (given,) = run_inputs(workspace, settings, entry.record.id, [record])
    content, _ = given.content(settings.label or label_of_run(entry))
    return Given(given, content)


def given_to_run(entry: Entry) -> Facts:
    """The files that a whole run was given, as the node of its input has them."""
    folder = run_files(entry).input
    if folder is None:
        return {"state": PRUNED, "why": NOT_KEPT}
    names = [path.relative_to(folder).as_posix() for path in files_below(folder)]
    if len(names) == 1:
        return {"file": names[0]}
    return {"files": names[:MOST_FILES]}


def _settings(workspace: Workspace, entry: Entry) -> ReviewSettings:
    """What the plan says, but for the columns that the run's results do not have."""
    settings = ReviewSettings()
    columns: Sequence[str] = ()
    with suppress(AloError, OSError):  # without a plan, or with one that is damaged
        settings = settings_of_plan(workspace)
    with suppress(AloError, OSError):  # the input is said to be missing then, with the reason
        columns = columns_of(output_path(run_files(entry)))
    lacking: dict[str, Any] = {
        key: "" for key in missing_columns(columns, settings) if "." not in key
    }
    probabilities = {
        name: column for name, column in settings.probabilities.items() if column in columns
    }
    return replace(settings, unit=ROW, probabilities=probabilities, **lacking)
