"""Follow one id through everything: from a record to the model that learned from it, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from alo.database.connection import Database
from alo.datasets.catalog import Catalog, Version
from alo.datasets.manifest import ROWS
from alo.datasets.row_lines import Line, row_lines, rows_with
from alo.errors import HistoryError, ReviewError, UsageError
from alo.history.browse import Entry, History
from alo.history.compared import comparison_of
from alo.history.filters import Filters
from alo.history.models_origin import NAMELESS
from alo.history.promotions import promotions
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.loop.record_inputs import record_inputs, run_files
from alo.review.results.tables import output_path
from alo.review.reviews import Reviews
from alo.review.rows import Review, decisions_at, records_at
from alo.tables.reading import read_table
from alo.texts import is_whole_number

PRESENT, PRUNED = "present", "pruned"
COMPARED = ("verdict", "reasons", "rows", "why")  # of a comparison
_CONTENT = re.compile(r"[0-9a-f]{12,32}\Z")  # whole, or as short as pages show it


@dataclass(slots=True)
class Trace:
    """What an id hangs together with."""

    id: str
    kind: str  # record, run, dataset or content
    nodes: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)  # from, to, what

    def to_json(self) -> dict[str, object]:
        """As `alo trace --json` prints it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "nodes": [
                {"kind": kind, "id": name, **known} for (kind, name), known in self.nodes.items()
            ],
            "edges": [{"from": one, "to": other, "what": what} for one, other, what in self.edges],
        }

    def add(self, kind: str, name: str, **known: object) -> bool:
        """A node, present unless it says otherwise; returns whether it is new."""
        if (kind, name) in self.nodes:
            return False
        self.nodes[kind, name] = {"state": PRESENT, **known}
        return True

    def link(self, one: str, other: str, what: str) -> None:
        """An edge, once."""
        if (one, other, what) not in self.edges:
            self.edges.append((one, other, what))


def trace(workspace: Workspace, database: Database, wanted: str) -> Trace:
    """Everything that a record, run, version of a data set or case hangs together with.

    Raises:
        UsageError: the id is unknown.
    """
    return _Tracer(workspace, database).trace(wanted)


class _Tracer:
    def __init__(self, workspace: Workspace, database: Database) -> None:
        self._history, self._database = History(workspace), database
        self._workspace = workspace
        self._reviews = Reviews(database).all()
        self._versions = list(Catalog(workspace).all())
        self._entries: dict[str, Entry | None] = {}
        self._promotions = promotions(workspace)

    def trace(self, wanted: str) -> Trace:
        name = wanted.partition("@")[0]
        _, colon, row = wanted.rpartition(":")
        if colon and is_whole_number(row):
            found = Trace(wanted, "record")
            if not self._record(found, wanted):
                raise _unknown(wanted)
            return found
        if any(each.manifest.name == name for each in self._versions):
            version = Catalog(self._workspace).find(wanted)
            found = Trace(version.manifest.reference, "dataset")
            self._dataset(found, version)
            return found
        if _CONTENT.match(wanted):
            return self._content(wanted)
        run_id = wanted
        try:
            run_id = self._history.look_up(wanted).id
        except HistoryError as error:
            if not self._is_named(wanted):
                raise _unknown(wanted) from error
        found = Trace(run_id, "run")
        self._run(found, run_id)
        return found

    def _is_named(self, run_id: str) -> bool:
        """Whether a run is known of though history may not have it any more."""
        named = {run for each in self._promotions for run in (each.run, each.before)}
        named |= {run.id for review in self._reviews for run in review.runs}
        if run_id in ("", *NAMELESS):
            return False
        return run_id in named or any(self._rows_with(key, run_id) for key in ("run", "model"))

    def _rows_with(self, key: str, value: str) -> list[tuple[Version, Line]]:
        """The reviewed rows of all versions with this value."""
        found: list[tuple[Version, Line]] = []
        for version in self._versions:
            with suppress(OSError):  # its page says so
                rows = rows_with(version.folder / ROWS, key, value)
                found += [(version, row) for row in rows]
        return found

    def _content(self, wanted: str) -> Trace:
        known = self._contents(wanted)
        if not known:
            raise _unknown(wanted)
        if len(known) > 1:
            raise UsageError(f"{len(known)} cases begin with '{wanted}'", fix="give more of the id")
        (content,) = known
        found = Trace(content, "content")
        found.add("content", content)
        for record in dict.fromkeys(self._records_of(content)):
            self._record(found, record)
            found.link(content, record, "is the case of")
        return found

    def _contents(self, beginning: str) -> set[str]:
        """The content ids that begin so."""
        rows = self._database.read(
            "SELECT DISTINCT content FROM review_records WHERE content >= ? AND content < ?",
            (beginning, beginning + "g"),  # g: behind each hexadecimal digit
        )
        found = {str(row[0]) for row in rows}
        for version in self._versions:
            with suppress(OSError):  # its page says so
                lines = row_lines(version.folder / ROWS)
                found |= {str(row["content"]) for row in lines.read(lines.find({}, beginning))}
        return {each for each in found if each.startswith(beginning)}

    def _records_of(self, content: str) -> Iterator[str]:
        for review in self._reviews:
            rows = self._database.read(
                "SELECT at FROM review_records WHERE review = ? AND content = ?",
                (review.number, content),
            )
            yield from (review.record_id(int(row[0])) for row in rows)
        for _, line in self._rows_with("content", content):
            yield str(line["record"])

    def _record(self, found: Trace, record: str) -> bool:
        """A record, what made it, what was said of it, and where it went; False: it is unknown."""
        run_id = record.rpartition(":")[0]
        reviews = [each for each in self._reviews if each.place_of(record) is not None]
        versions = self._rows_with("record", record)
        if not (reviews or versions or self._has_row(record)):
            return False
        found.add("record", record)
        self._run(found, run_id)
        found.link(run_id, record, "made")
        for review in reviews:
            self._review(found, review, record)
        for version, line in versions:
            self._dataset(found, version)
            if (model := str(line.get("model") or "")) and model not in NAMELESS:
                self._run(found, model)
                found.link(model, run_id, "answered")
            found.link(record, version.manifest.reference, f"went to {line['split']}")
        return True

    def _has_row(self, record: str) -> bool:
        """Whether a run in history has a row of this number in its results."""
        run_id, _, row = record.rpartition(":")
        entry = self._entry(run_id)
        if entry is None or entry.record.id != run_id:
            return False
        try:
            return int(row) < len(read_table(output_path(run_files(entry))).rows)
        except (ReviewError, OSError):
            return False

    def _review(self, found: Trace, review: Review, record: str) -> None:
        at = review.place_of(record)
        stored = records_at(self._database.read, review.number, [at] if at is not None else [])
        if at is None or at not in stored:
            return
        name = f"review {review.name}"
        found.add("review", name, review_state=review.state, by=review.person, at=review.created)
        found.link(record, name, "is reviewed in")
        found.nodes["record", record] |= {
            "content": stored[at].content,
            "predicted": stored[at].predicted,
            "certainty": stored[at].certainty,
        }
        self._input(found, review, record)
        for each in decisions_at(self._database.read, review.number, [at]).get(at, []):
            decision = f"decision {each.number}"
            found.add(
                "decision",
                decision,
                verdict=each.verdict,
                label=review.labels.name_of(each.label),
                by=each.person,
                at=each.time,
                note=each.note,
            )
            found.link(record, decision, "was decided")

    def _input(self, found: Trace, review: Review, record: str) -> None:
        given = record_inputs(self._workspace, review, [record])[record]
        name = f"input of {record}"
        if given.why:
            found.add("input", name, state=PRUNED, why=given.why)
        else:
            file = given.table or (given.picture.name if given.picture else "")
            found.add("input", name, file=file, row=given.row, files=list(given.files))
        found.link(name, record, "was given for")

    def _run(self, found: Trace, run_id: str) -> None:
        """A run, the model that it used or made, and what became of that."""
        entry = self._entry(run_id)
        if entry is None:
            if found.add("run", run_id, state=PRUNED):
                self._deployments(found, run_id)
            return
        record = entry.record
        if not found.add("run", run_id, **_known(record)):
            return
        if record.pipeline == "train":
            self._model(found, entry)
        elif record.train_id and record.train_id not in NAMELESS:
            self._run(found, record.train_id)
            found.link(record.train_id, run_id, "answered")

    def _model(self, found: Trace, entry: Entry) -> None:
        record = entry.record
        if record.dataset:
            version = self._version(record.dataset)
            if version is None:
                found.add("dataset", record.dataset, state=PRUNED)
            else:
                self._dataset(found, version)
            found.link(record.dataset, record.id, "trained")
        try:
            compared = comparison_of(entry.folder)
        except HistoryError as error:  # damaged: the rest is known all the same
            compared = {"why": error.what}
        if compared is not None:
            name = f"comparison {record.id}"
            values = {key: compared[key] for key in COMPARED if key in compared}
            found.add("comparison", name, **values)
            found.link(record.id, name, "was compared")
        self._deployments(found, record.id)

    def _deployments(self, found: Trace, run_id: str) -> None:
        for each in self._promotions:
            if each.run == run_id:
                name = f"promotion {each.when}"
                found.add("promotion", name, by=each.who, at=each.when, why=each.why)
                found.link(run_id, name, "was deployed")

    def _dataset(self, found: Trace, version: Version) -> None:
        manifest = version.manifest
        known = {"dataset_id": manifest.id, "by": manifest.who, "at": manifest.when}
        if not found.add("dataset", manifest.reference, **known):
            return
        for name in manifest.reviews:
            is_there = any(each.name == name for each in self._reviews)
            found.add("review", f"review {name}", state=PRESENT if is_there else PRUNED)
            found.link(f"review {name}", manifest.reference, "was made into")
        wanted = Filters(pipeline="train", dataset=manifest.reference)
        for record in self._history.list(wanted, None):
            self._run(found, record.id)

    def _entry(self, run_id: str) -> Entry | None:
        if run_id not in self._entries:
            try:
                self._entries[run_id] = self._history.find(run_id)
            except HistoryError:
                self._entries[run_id] = None
        return self._entries[run_id]

    def _version(self, reference: str) -> Version | None:
        found = (each for each in self._versions if each.manifest.reference == reference)
        return next(found, None)


def _known(record: RunRecord) -> dict[str, object]:
    return {
        "pipeline": record.pipeline,
        "status": record.status,
        "at": record.start_time,
        "score": record.score,
        "data": record.data_id,
    }


def _unknown(wanted: str) -> UsageError:
    return UsageError(
        f"nothing is known of '{wanted}'",
        fix="an id is a record (RUN:ROW), a run, a data set (NAME@V), or a case (content)",
    )
