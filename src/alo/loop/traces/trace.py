"""Follow one id through everything: from a record to the model that learned from it, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alo.data.location import is_remote
from alo.database.connection import Database
from alo.datasets.catalog import Version
from alo.datasets.row_lines import Line
from alo.errors import HistoryError
from alo.gate.compared import comparison_of, in_short
from alo.history.browse import Entry
from alo.history.filters import Filters
from alo.history.models_origin import NAMELESS
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.loop.traces.given import Given, given_by_plan, given_in_review, given_to_run
from alo.loop.traces.graph import PRESENT, PRUNED, Trace
from alo.loop.traces.known import CONTENT, DATASET, NO_RUN, RECORD, REQUEST, REVIEW, RUN, Known
from alo.review.record_ids import run_in
from alo.review.rows import Review, decisions_at, records_at

COMPARED = ("verdict", "reasons", "rows", "why")  # of a comparison
OF_CASE = ("content", "predicted", "certainty")  # of a record


def trace(workspace: Workspace, database: Database, wanted: str) -> Trace:
    """Everything that a record, run, request, version of a data set, case or review belongs to.

    Raises:
        UsageError: the id is unknown.
    """
    known = Known(workspace, database)
    kind, name = known.look_up(wanted)
    found = Trace(_review_name(name) if kind == REVIEW else name, kind)
    tracer = _Tracer(known, found)
    match kind:
        case "record":
            tracer.record(name)
        case "dataset":
            tracer.dataset(name)
        case "content":
            tracer.content(name)
        case "run":
            tracer.whole_run(name)
        case "request":
            tracer.request(name)
        case _:
            tracer.review_alone(name)
    return found


class _Tracer:
    """Adds to a trace what belongs to one thing after the other."""

    def __init__(self, known: Known, found: Trace) -> None:
        self._known, self._found = known, found

    def content(self, content: str) -> None:
        """A case, with all records of it."""
        self._found.add(CONTENT, content)
        for review in self._known.reviews:
            rows = self._known.database.read(
                "SELECT at FROM review_records WHERE review = ? AND content = ?",
                (review.number, content),
            )
            for row in rows:
                self._record_of(content, review.record_id(int(row[0])))
        for _, line in self._known.rows_with("content", content):
            self._record_of(content, str(line["record"]))
        for reference, contents in self._known.tested:
            if content in contents:
                self.dataset(reference)
                self._found.link(content, reference, "went to test")

    def _record_of(self, content: str, record: str) -> None:
        self.record(record)
        self._found.link(content, record, "is the case of")

    def record(self, record: str) -> None:
        """A record, what it was made of, what was said of it, and where it went."""
        run_id = run_in(record)
        entry = self._known.entry(run_id)
        kind = RECORD if run_id != record else RUN  # a record of whole runs is a run
        if kind == RECORD:
            self._found.add(RECORD, record, state=PRUNED if entry is None else PRESENT)
        self._run(run_id)
        if kind == RECORD:
            self._found.link(run_id, record, "made")
        reviews = self._known.reviews_of(record)
        for review in reviews:
            self._review(review, kind, record)
        rows = list(self._known.rows_with("record", record))
        for version, line in rows:
            self._row(version, line, record)
        if not (reviews or rows):
            self._candidates_tested_with(record)
        given = given_in_review(self._known.workspace, reviews, record)
        if given is None and entry is not None:
            given = given_by_plan(self._known.workspace, entry, record)
        if given is not None:
            self._input(given, kind, record, entry)
        elif kind == RECORD:
            why = f"run {run_id} is in history no more"
            self._input_node(record, {"state": PRUNED, "why": why}, record)

    def _row(self, version: Version, line: Line, record: str) -> None:
        """Where a record went, by the row of a data set; also of what nothing else knows of."""
        node = self._found.nodes.get((RECORD, record), {})
        for name in OF_CASE:
            if line.get(name) not in (None, ""):
                node.setdefault(name, line[name])
        if not any(one == record and kind == "was decided" for one, _, kind in self._found.edges):
            node |= {"label": line["new"], "by": line.get("by"), "at": line.get("at")}
        reference = version.manifest.reference
        self.dataset(reference)
        self._model_of(str(line.get("model") or ""), str(line.get("run") or ""))
        self._found.link(record, reference, f"went to {line['split']}")

    def _candidates_tested_with(self, record: str) -> None:
        """Where all else is gone, what a comparison still has of it."""
        for run_id in self._known.tested_in(record):
            self._run(run_id)
            self._found.link(record, f"comparison {run_id}", "was tested in")

    def _input(self, given: Given, kind: str, record: str, entry: Entry | None) -> None:
        if given.content:
            self._found.nodes[kind, record]["content"] = given.content
            if self._known.contents(given.content):  # so that there is something to lead to
                self._found.add(CONTENT, given.content)
                self._found.link(given.content, record, "is the case of")
        if entry is None:  # what was copied still knows the model
            self._model_of(given.input.model, run_in(record))
        self._input_node(record, given.facts(), record)

    def _input_node(self, name: str, facts: Mapping[str, object], given_for: str) -> None:
        """What was given, and to which request, if it was one."""
        node = f"input of {name}"
        self._found.add("input", node, **facts)
        self._found.link(node, given_for, "was given for")
        entry = self._known.entry(run_in(name))
        if entry is not None and entry.record.request:
            self._found.link(node, entry.record.request, "was sent with")

    def _review(self, review: Review, kind: str, record: str) -> None:
        """A review that has a record in its population, and what was decided in it."""
        at = review.place_of(record)
        read = self._known.database.read
        stored = records_at(read, review.number, [at] if at is not None else [])
        if at is None or at not in stored:
            return
        name = self._review_node(review.name)
        said = decisions_at(read, review.number, [at]).get(at, [])
        is_reviewed = said or stored[at].source is not None
        how = "is reviewed in" if is_reviewed else "is in the population of"
        self._found.link(record, name, how)
        node = self._found.nodes[kind, record]
        node |= {key: getattr(stored[at], key) for key in OF_CASE}
        for each in said:
            decision = f"decision {each.number}"
            self._found.add(
                "decision",
                decision,
                verdict=each.verdict,
                label=review.labels.name_of(each.label),
                by=each.person,
                at=each.time,
                note=each.note,
            )
            self._found.link(record, decision, "was decided")

    def _review_node(self, name: str) -> str:
        review = self._known.review(name)
        node = _review_name(name)
        if review is None:
            self._found.add(REVIEW, node, state=PRUNED)
        else:
            facts = {"review_state": review.state, "by": review.person, "at": review.created}
            self._found.add(REVIEW, node, **facts)
        return node

    def review_alone(self, name: str) -> None:
        """A review, and the data sets that were made of it."""
        self._review_node(name)
        for version in self._known.versions:
            if name in version.manifest.reviews:
                self.dataset(version.manifest.reference)

    def whole_run(self, run_id: str) -> None:
        """A run, the reviews of it or of its rows, and what was made of them."""
        self._run(run_id)
        if self._known.reviews_of(run_id):
            self.record(run_id)
        for review in self._known.reviews_of_rows(run_id):
            self.review_alone(review.name)
            self._found.link(run_id, _review_name(review.name), "is in the population of")

    def request(self, request: str) -> None:
        """A request, what it was sent with, and what has answered it."""
        runs = self._known.answers_to(request)
        self._found.add(REQUEST, request, state=PRESENT if runs else PRUNED)
        for record in runs:
            self.whole_run(record.id)
            if (entry := self._known.entry(record.id)) is not None:
                self._input_node(record.id, given_to_run(entry), record.id)

    def _run(self, run_id: str) -> None:
        """A run, the model that it used or made, and what became of that."""
        entry = self._known.entry(run_id)
        if entry is None:
            if self._found.add(RUN, run_id, state=PRUNED):
                self._deployments(run_id)
            return
        record = entry.record
        if not self._found.add(RUN, run_id, **_facts(record)):
            return
        if record.request:
            self._found.add(REQUEST, record.request)
            self._found.link(record.request, run_id, "was answered by")
        if record.pipeline == "train":
            self._model(entry)
        else:
            self._model_of(record.train_id, run_id)

    def _model_of(self, model: str, run_id: str) -> None:
        """The train run whose model an inference has used."""
        if model not in NO_RUN:
            self._run(model)
            self._found.link(model, run_id, "answered")

    def _model(self, entry: Entry) -> None:
        record = entry.record
        if record.data_id:
            self._data(record)
        if record.dataset:
            self.dataset(record.dataset)
            self._found.link(record.dataset, record.id, "trained")
        try:
            compared = comparison_of(entry.folder)
            said = in_short(compared) if compared else {}
        except HistoryError as error:  # damaged: the rest is known all the same
            said = {"why": error.what}
        if said:
            self._comparison(record.id, said, PRESENT)
        self._deployments(record.id)

    def _data(self, record: RunRecord) -> None:
        """The data that a model learned from; pruned where none of it is at its place any more."""
        said = record.data_id_description.get("sources")
        sources = [str(each) for each in said] if isinstance(said, list) else []
        node = f"data {record.data_id}"
        is_gone = bool(sources) and not any(map(self._may_be_there, sources))
        state = PRUNED if is_gone else PRESENT
        self._found.add("data", node, state=state, sources=sources)
        self._found.link(node, record.id, "trained")

    def _may_be_there(self, source: str) -> bool:
        return is_remote(source) or (self._known.workspace.home / Path(source)).exists()

    def _comparison(self, run_id: str, compared: Mapping[str, object], state: str) -> None:
        name = f"comparison {run_id}"
        values = {key: compared[key] for key in COMPARED if key in compared}
        self._found.add("comparison", name, state=state, **values)
        self._found.link(run_id, name, "was compared")

    def _deployments(self, run_id: str) -> None:
        for each in self._known.promotions:
            if each.run != run_id:
                continue
            name = f"promotion {each.when}"
            self._found.add("promotion", name, by=each.who, at=each.when, why=each.why)
            self._found.link(run_id, name, "was deployed")
            if each.comparison and self._known.entry(run_id) is None:  # it knows what is gone
                self._comparison(run_id, each.comparison, PRUNED)
                if dataset := str(each.comparison.get("dataset") or ""):
                    self.dataset(dataset)
                    self._found.link(dataset, run_id, "trained")

    def dataset(self, reference: str) -> None:
        """A version of a data set, what it was made of, and the candidates that learned from it."""
        version = self._known.version(reference)
        if not self._found.add(DATASET, reference, **self._facts_of(version, reference)):
            return
        for name in version.manifest.reviews if version else ():
            self._found.link(self._review_node(name), reference, "was made into")
        wanted = Filters(pipeline="train", dataset=reference)
        for record in self._known.history.list(wanted, None):
            self._run(record.id)
        for each in self._known.promotions:  # also candidates that are gone
            if each.run not in NO_RUN and (each.comparison or {}).get("dataset") == reference:
                self._run(each.run)

    def _facts_of(self, version: Version | None, reference: str) -> Mapping[str, object]:
        if version is not None:
            manifest = version.manifest
            return {"dataset_id": manifest.id, "by": manifest.who, "at": manifest.when}
        if reference in self._known.catalog.references():
            return {"why": "it is damaged"}
        return {"state": PRUNED}


def _facts(record: RunRecord) -> Mapping[str, object]:
    return {
        "pipeline": record.pipeline,
        "status": record.status,
        "at": record.start_time,
        "score": record.score,
        "data": record.data_id,
        **({"model": record.train_id} if record.train_id in NAMELESS else {}),
    }


def _review_name(name: str) -> str:
    return f"{REVIEW} {name}"
