"""What is known of an id: what it names, and whether that is still there.

An id is known as long as anything names it: a review, a row of a data set, the record of a run, a
comparison, a deployment, a job or the audit. So what was removed has a trace as long as a page can
lead there. What somebody has typed into a command names nothing: it may never have been.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from alo.database.audit import Audit
from alo.database.connection import Database
from alo.datasets.catalog import Catalog, Version, is_reference
from alo.datasets.make import ledger
from alo.datasets.manifest import ROWS
from alo.datasets.row_lines import Line, row_lines, rows_with
from alo.errors import DatasetError, HistoryError, ReviewError, UsageError
from alo.gate.compared import comparison_of
from alo.gate.comparison import Comparison
from alo.history.browse import Entry, History
from alo.history.deployment import CURRENT, deployed_ids
from alo.history.entries.names import entry_folder
from alo.history.filters import Filters
from alo.history.ids import start_in_name
from alo.history.models_origin import NAMELESS, read_origin
from alo.history.promotions import Promotion, promotions
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.loop.record_inputs import run_files
from alo.review.record_ids import record_id, run_and_row, run_in
from alo.review.results.tables import output_path
from alo.review.reviews import Reviews
from alo.review.rows import Review
from alo.review.settings import ROW
from alo.tables.reading import read_table
from alo.texts import is_odd

RECORD, DATASET, CONTENT = "record", "dataset", "content"
RUN, REQUEST, REVIEW = "run", "request", "review"
KINDS = (RECORD, DATASET, CONTENT, RUN, REQUEST, REVIEW)  # of what has a trace
NO_RUN = ("", CURRENT, *NAMELESS)  # where a run could be named
OF_REVIEW = ("review", "remove-review")  # acts of the audit
_CONTENT = re.compile(r"[0-9a-f]{12,32}\Z")  # whole, or as short as pages show it


class Known:
    """All that a project knows, looked through once."""

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self.workspace, self.database = workspace, database
        self.history, self.catalog = History(workspace), Catalog(workspace)
        self._audit = Audit(database)
        self._entries: dict[str, Entry | None] = {}

    @cached_property
    def reviews(self) -> Sequence[Review]:
        """All reviews, the newest first."""
        return Reviews(self.database).all()

    @cached_property
    def versions(self) -> Sequence[Version]:
        """The versions of all data sets; damaged ones are left out."""
        return list(self.catalog.all())

    @cached_property
    def promotions(self) -> Sequence[Promotion]:
        """Every deployment, the oldest first."""
        return promotions(self.workspace)

    @cached_property
    def comparisons(self) -> Sequence[tuple[RunRecord, Comparison]]:
        """What candidates were compared with; damaged ones are left out."""
        found = []
        for record in self.history.list(Filters(pipeline="train"), None):
            if record.dataset:
                with suppress(HistoryError):
                    folder = entry_folder(self.workspace, record.pipeline, record.id)
                    if (compared := comparison_of(folder)) is not None:
                        found.append((record, compared))
        return found

    def look_up(self, wanted: str) -> tuple[str, str]:
        """What an id is of, and the whole of it.

        Raises:
            UsageError: the id is unknown.
        """
        if is_odd(wanted):  # no database holds it
            raise _unknown(ascii(wanted)[1:-1])
        ways = {
            RECORD: self._record,
            DATASET: self._dataset,
            CONTENT: self._content,
            RUN: self._run,
            REQUEST: self._request,
            REVIEW: self._review,
        }
        for kind, way in ways.items():
            if found := way(wanted):
                return kind, found
        raise _unknown(wanted)

    def entry(self, run_id: str) -> Entry | None:
        """The run of this very id, that in progress included; None: it is not there any more."""
        if run_id not in self._entries:
            self._entries[run_id] = self._entry(run_id)
        return self._entries[run_id]

    def version(self, reference: str) -> Version | None:
        """A version that is there; None: it is not, or it is damaged."""
        return next((each for each in self.versions if each.manifest.reference == reference), None)

    def review(self, name: str) -> Review | None:
        """The review of this name; None: it was removed."""
        return next((each for each in self.reviews if each.name == name), None)

    def reviews_of(self, record: str) -> list[Review]:
        """The reviews that have a record in their population."""
        return [each for each in self.reviews if each.place_of(record) is not None]

    def reviews_of_rows(self, run_id: str) -> list[Review]:
        """The reviews that have rows of a run in their population."""
        return [each for each in self.reviews if each.unit == ROW and each.has_run(run_id)]

    def answers_to(self, request: str) -> Sequence[RunRecord]:
        """The runs that have answered a request: one, unless it was tried again."""
        return self.history.list(Filters(request=request), None)

    def rows_with(self, key: str, value: str) -> Iterator[tuple[Version, Line]]:
        """The reviewed rows of all versions with this value."""
        for version in self.versions:
            with suppress(OSError):  # its page says so
                for row in rows_with(version.folder / ROWS, key, value):
                    yield version, row

    def contents(self, beginning: str) -> set[str]:
        """The content ids that begin so."""
        rows = self.database.read(
            "SELECT DISTINCT content FROM review_records WHERE content >= ? AND content < ?",
            (beginning, beginning + "g"),  # g: behind each hexadecimal digit
        )
        found = {str(row[0]) for row in rows}
        for version in self.versions:
            with suppress(OSError):  # its page says so
                lines = row_lines(version.folder / ROWS)
                found |= {str(row["content"]) for row in lines.read(lines.find({}, beginning))}
        found |= {content for _, contents in self.tested for content in contents}
        return {each for each in found if each.startswith(beginning)}

    @cached_property
    def tested(self) -> Sequence[tuple[str, Sequence[str]]]:
        """What tested each version that ever was, those that were removed too."""
        found = []
        for folder in self._homes():
            with suppress(DatasetError):  # damaged: whoever makes the next version gets the error
                found += [(f"{folder.name}@v{number}", those) for number, those in ledger(folder)]
        return found

    def tested_in(self, record: str) -> Iterator[str]:
        """The candidates whose comparison names a record."""
        for run, compared in self.comparisons:
            if any(each.record == record for each in compared.changed):
                yield run.id

    def _homes(self) -> list[Path]:
        """The folder of each data set, those without a version included."""
        folder = self.catalog.folder
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        return [each for each in found if each.is_dir()]

    def _record(self, wanted: str) -> str:
        found = run_and_row(wanted)
        if found is None:
            return ""
        run_id, row = found
        if self._is_record(run_id, row):
            return record_id(run_id, row)
        whole = self._begun_with(run_id)
        return record_id(whole, row) if whole and self._is_record(whole, row) else ""

    def _is_record(self, run_id: str, row: int) -> bool:
        record = record_id(run_id, row)
        return bool(
            self.reviews_of(record)
            or any(self.rows_with("record", record))
            or self._has_row(run_id, row)
            or any(self.tested_in(record))
        )

    def _begun_with(self, beginning: str) -> str:
        """The one run that begins so: pages and tables show the beginning of a run's id."""
        if not start_in_name(beginning):  # no beginning is that of every run
            return ""
        found = {run.id for review in self.reviews for run in review.runs}
        found = {each for each in found if each.startswith(beginning)}
        with suppress(HistoryError):
            found.add(self.history.look_up(beginning).id)
        return found.pop() if len(found) == 1 else ""

    def _has_row(self, run_id: str, row: int) -> bool:
        """Whether a run in history has a row of this number in its results."""
        entry = self.entry(run_id)
        if entry is None:
            return False
        try:
            return row < len(read_table(output_path(run_files(entry))).rows)
        except (ReviewError, OSError):
            return False

    def _dataset(self, wanted: str) -> str:
        name, at, _ = wanted.partition("@")
        there = self.catalog.versions(name)
        if not at:
            gone = [each for each, _ in self.tested if each.partition("@")[0] == name]
            return f"{name}@{there[-1]}" if there else (gone or [""])[-1]
        if wanted in self.catalog.references():
            return wanted
        return wanted if is_reference(wanted) and self._names_version(wanted) else ""

    def _names_version(self, reference: str) -> bool:
        """Whether anything names a version that is not there."""
        return (
            any(each == reference for each, _ in self.tested)
            or any(reference in (v.manifest.parent, v.manifest.base) for v in self.versions)
            or bool(self.history.list(Filters(pipeline="train", dataset=reference), 1))
            or any(_dataset_of(each) == reference for each in self.promotions)
            or self._is_of_job(reference)
            or self._audit.names(reference)
        )

    def _content(self, wanted: str) -> str:
        found = self.contents(wanted) if _CONTENT.match(wanted) else set()
        if len(found) > 1:
            raise UsageError(f"{len(found)} cases begin with '{wanted}'", fix="give more of the id")
        return next(iter(found), "")

    def _run(self, wanted: str) -> str:
        try:
            return self.history.look_up(wanted).id
        except HistoryError:
            return wanted if wanted not in NO_RUN and self._names_run(wanted) else ""

    def _names_run(self, run_id: str) -> bool:
        """Whether anything names a run that is not there."""
        return (
            any(run_id in (each.run, each.before) for each in self.promotions)
            or run_id in deployed_ids(self.workspace)
            or any(run.id == run_id for review in self.reviews for run in review.runs)
            or bool(self.history.lines(Filters(model=run_id), 1))
            or run_id == read_origin(self.workspace.artifacts("train"))[0]
            or any(any(self.rows_with(key, run_id)) for key in ("run", "model"))
            or any(run_id in _runs_of(compared) for _, compared in self.comparisons)
            or (bool(start_in_name(run_id)) and self._is_noted(run_id))
        )

    def _is_noted(self, run_id: str) -> bool:
        return self._is_of_job(run_id) or self._audit.names(run_id)

    def _is_of_job(self, made: str) -> bool:
        """Whether a job of the studio has made it."""
        found = self.database.read(
            "SELECT 1 FROM jobs WHERE run = ? OR made = ? LIMIT 1", (made, made)
        )
        return bool(found)

    def _request(self, wanted: str) -> str:
        is_known = self.answers_to(wanted) or self._audit.is_about(wanted, ("try",))
        return wanted if is_known else ""

    def _review(self, wanted: str) -> str:
        name = wanted.removeprefix(f"{REVIEW} ")
        is_known = (
            self.review(name) is not None
            or any(name in each.manifest.reviews for each in self.versions)
            or self._audit.is_about(name, OF_REVIEW)
        )
        return name if is_known else ""

    def _entry(self, run_id: str) -> Entry | None:
        try:
            record = self.history.look_up(run_id) if run_id not in NO_RUN else None
        except HistoryError:
            return None
        if record is None or record.id != run_id:  # the beginning of another run's id
            return None
        return Entry(record, entry_folder(self.workspace, record.pipeline, run_id))


def known_ids(workspace: Workspace, database: Database, wanted: Sequence[str]) -> set[str]:
    """Those of some ids of which anything is known, so that a page may link to their traces."""
    known = Known(workspace, database)
    found = set()
    for each in wanted:
        with suppress(UsageError):
            known.look_up(each)
            found.add(each)
    return found


def _dataset_of(promotion: Promotion) -> str:
    return str((promotion.comparison or {}).get("dataset") or "")


def _runs_of(compared: Comparison) -> Iterator[str]:
    """The model before, and the runs of the records of which both say different things."""
    yield compared.old.run
    yield from (run_in(each.record) for each in compared.changed)


def _unknown(wanted: str) -> UsageError:
    return UsageError(
        f"nothing is known of '{wanted}'",
        fix="an id is a record (RUN:ROW, as the studio and alo review export have it), a run, a"
        " request, a data set (NAME@V), a case (content), or a review",
    )
