"""Make a review of the results of past runs."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path

from alo.database.audit import add_change
from alo.database.connection import Database
from alo.errors import LabelError, ReviewError, UsageError
from alo.files import many_objects
from alo.history.browse import Entry, History
from alo.history.entries.not_kept import not_kept
from alo.history.filters import Filters
from alo.layout import Workspace
from alo.loop.held_runs import held_for
from alo.loop.named_columns import check_named
from alo.loop.plan_settings import label_of_run
from alo.loop.record_inputs import files_below, run_files
from alo.review.labels import Label, Labels
from alo.review.queue import QueueItem, QueueRequest, make_queue
from alo.review.results.records import FoundRecord, RunRecords, read_records
from alo.review.results.tables import RunFiles
from alo.review.reviews import ReviewDraft, Reviews, check_name
from alo.review.rows import NotInHistory, PopulationRun, Review, place_in
from alo.review.settings import CSV, REQUEST, ReviewSettings
from alo.review.strata import Case
from alo.tables.measured import are_measured
from alo.texts import counted, looks

SHOWN_NOTES = 20
LOOKED_AT = 10  # runs, for the column that the solution metadata has named
UNKNOWN = (
    "it is not known how certain the predictions are, so none is queued as uncertain:"
    " review.probabilities or review.certainty names the columns"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRequest:
    """What a new review is made of."""

    name: str
    person: str
    time: str  # now, UTC
    settings: ReviewSettings
    runs: Sequence[str] = ()  # ids; empty: those that the filters find
    filters: Filters = field(default_factory=Filters)
    random: int = 0
    uncertain: int = 0
    picked: Sequence[str] = ()  # ids of records
    seed: int | None = None
    second_look: float = 0.0


@dataclass(frozen=True, slots=True)
class NewReview:
    """The review, and what is to be said of its making."""

    review: Review
    queued: int
    notes: Sequence[str]


def new_review(workspace: Workspace, database: Database, asked: ReviewRequest) -> NewReview:
    """Make a review: read the results of runs, and queue some of their records.

    Raises:
        UsageError: the name cannot be taken, there are no such runs or records.
        ReviewError: the results cannot be reviewed as it was asked.
        LabelError: a label cannot have the key or the colour that is given.
        HistoryError: a run is not there.
    """
    check_name(asked.name)
    entries = runs_of(workspace, asked)
    if not asked.settings.label:
        label = next(filter(None, map(label_of_run, entries[:LOOKED_AT])), "")
        asked = replace(asked, settings=replace(asked.settings, label=label))
    said = check_named(workspace, [run_files(each) for each in entries], asked.settings)
    with many_objects():
        return _made_of(entries, workspace, database, asked, said)


def _made_of(
    entries: Sequence[Entry],
    workspace: Workspace,
    database: Database,
    asked: ReviewRequest,
    said: Sequence[str],
) -> NewReview:
    found, unreadable = _read_all(entries, asked.settings)
    if not found:
        raise unreadable[0]
    runs = _population(found)
    records = [record for each in found for record in each.records]
    if not records:
        raise _nothing_to_review(found)
    _check_classes(records)
    seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
    queue = _queue(asked, seed, runs, records)
    labels = _labels(asked.settings, records)
    notes = [*said, *(f"{each.what} ({each.where})" for each in unreadable)]
    notes += [*_alike(labels), *(note for each in found for note in each.notes)]
    if asked.uncertain and all(each.certainty is None for each in records):
        notes.insert(0, UNKNOWN)
    notes = notes[:SHOWN_NOTES]
    with held_for(workspace, database, asked.name, runs), database.transaction() as rows:
        review = Reviews(database).create(
            ReviewDraft(
                name=asked.name,
                person=asked.person,
                created=asked.time,
                asked=_asked_json(asked, seed, notes, _not_in_history(workspace, asked)),
                runs=runs,
                counts={"records": len(records), **_refusals(found), **_unread(unreadable)},
                labels=labels,
                records=records,
                queue=queue,
            )
        )
        after = {"state": review.state, "queued": len(queue)}
        add_change(rows, asked.person, "review", review.name, after=after)
    return NewReview(review, len(queue), notes)


def _nothing_to_review(found: Sequence[RunRecords]) -> ReviewError:
    why = _refusals(found)
    return ReviewError(
        "no record of these runs can be reviewed",
        where="; ".join(f"{counted(n, 'row')}: {reason}" for reason, n in why.items())
        or f"{counted(len(found), 'run')}, without a row",
        fix="see which columns review: names, and that the runs have their input",
    )


def _queue(
    asked: ReviewRequest, seed: int, runs: Sequence[PopulationRun], records: Sequence[FoundRecord]
) -> list[QueueItem]:
    return make_queue(
        [Case(predicted, certainty) for _, _, predicted, certainty, _ in records],
        [each.content for each in records],
        QueueRequest(
            random=asked.random,
            uncertain=asked.uncertain,
            picked=_places(asked, runs, records),
            seed=seed,
            second_look=asked.second_look,
        ),
    )


def runs_of(workspace: Workspace, asked: ReviewRequest) -> list[Entry]:
    """The runs whose results are to be reviewed.

    Raises:
        UsageError: there are none, or one has no results.
        HistoryError: one is not there.
    """
    history = History(workspace)
    if asked.runs:
        entries = [history.find(run_id) for run_id in dict.fromkeys(asked.runs)]
        for each in entries:
            if each.record.pipeline != "inference" or each.record.status != "success":
                raise UsageError(
                    f"run {each.record.id} is no inference that succeeded: it has no results",
                    fix="alo history --mode inference --status success lists those that have",
                )
        return entries
    wanted = asked.filters._replace(pipeline="inference", status="success")
    found = [each for each in history.list(wanted, None) if not each.is_tryout]
    entries = [
        Entry(record, folder) for record in found if (folder := history.folder(record)) is not None
    ]
    if not entries and asked.filters != Filters():
        raise UsageError(
            "no inference run that succeeded fits --since and --filter",
            fix="alo history --mode inference --status success lists those that there are",
        )
    if not entries:
        raise UsageError(
            "there is no inference run to review", fix="alo run --mode inference makes one"
        )
    return entries


def _read_all(
    entries: Sequence[Entry], settings: ReviewSettings
) -> tuple[list[RunRecords], list[ReviewError]]:
    """The records of runs, and what is wrong with those that have none: the rest is reviewed."""
    found: list[RunRecords] = []
    unreadable: list[ReviewError] = []
    first = 0
    for entry in entries:
        try:
            found.append(_read(entry, settings, first))
        except ReviewError as error:
            unreadable.append(error)
        else:
            first += found[-1].rows
    return found, unreadable


def _unread(unreadable: Sequence[ReviewError]) -> dict[str, int]:
    """Its rows are not known: a run counts once."""
    return {"a run whose results cannot be read": len(unreadable)} if unreadable else {}


def _read(entry: Entry, settings: ReviewSettings, first: int) -> RunRecords:
    files = run_files(entry)
    if settings.unit == REQUEST:
        return _whole(entry, files, first)
    return read_records(files, settings, first)


def _population(found: Sequence[RunRecords]) -> list[PopulationRun]:
    """Where in the population the records of each run are."""
    runs: list[PopulationRun] = []
    first = 0
    for each in found:
        runs.append(PopulationRun(id=each.run, first=first, records=each.rows))
        first += each.rows
    return runs


def _whole(entry: Entry, files: RunFiles, at: int) -> RunRecords:
    """A run as one record, by its summary."""
    record = entry.record
    if not record.result:
        return RunRecords(run=record.id, rows=1, records=(), refused={"it has no result": 1})
    certainty = record.probability.get(record.result)
    content = _content_of(files.input or files.output)
    found = FoundRecord(at, content, record.result, certainty, record.probability)
    return RunRecords(run=record.id, rows=1, records=(found,))


def _content_of(folder: Path) -> str:
    """The content id of all files of a folder."""
    found = hashlib.sha256()
    for path in files_below(folder):
        found.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape"))
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:32]


def _refusals(found: Sequence[RunRecords]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for each in found:
        counts.update(each.refused)
    return dict(counts)


def _check_classes(records: Sequence[FoundRecord]) -> None:
    classes = {each.predicted for each in records}
    if are_measured(classes):
        raise ReviewError(
            f"the predictions are {len(classes):,} different numbers: measurements, not classes",
            fix="review.prediction names the column with the class; only classes can be reviewed",
        )


def _places(
    asked: ReviewRequest, runs: Sequence[PopulationRun], records: Sequence[FoundRecord]
) -> list[int]:
    """Where in the population the records are that people chose themselves."""
    if not asked.picked:
        return []
    index = {each.at: place for place, each in enumerate(records)}
    by_id = {run.id: run for run in runs}
    found: list[int] = []
    for record in asked.picked:
        at = place_in(by_id, asked.settings.unit, record)
        if at is None or at not in index:
            raise UsageError(
                f"these runs have no record '{record}'",
                fix="a record is RUN:ROW, its row in output.csv from 0",
            )
        found.append(index[at])
    return found


def _labels(settings: ReviewSettings, records: Sequence[FoundRecord]) -> Labels:
    """Those of the settings, and every class that was seen: a prediction has to have a name."""
    seen = sorted(
        {each.predicted for each in records}
        | set(chain.from_iterable(each.probabilities for each in records))
    )
    given: dict[str, Label] = {}
    for each in [*settings.labels, *seen]:
        label = Label(id=each, name=each) if isinstance(each, str) else each
        given.setdefault(label.name, label)
    for own, part in ((settings.label_keys, "key"), (settings.label_colours, "colour")):
        for name, value in own.items():
            if name not in given:
                what = f"there is no label '{name}' to have the {part} '{value}'"
                raise LabelError(what, fix=f"labels: {', '.join(given)}")
            given[name] = replace(given[name], **{part: value})
    return Labels.named(given.values())


def _alike(labels: Labels) -> list[str]:
    """What is odd about labels that people cannot tell apart."""
    times = Counter(map(looks, labels.ids))
    return [
        f"'{name}' is {count} labels that look the same, in other characters:"
        " merge them on the page of the review"
        for name, count in times.items()
        if count > 1
    ]


def _not_in_history(workspace: Workspace, asked: ReviewRequest) -> NotInHistory:
    """What the review cannot speak for, unless its runs were named."""
    lost = not_kept(workspace.history, "inference")
    return NotInHistory() if asked.runs else NotInHistory(lost.runs, lost.since)


def _asked_json(
    asked: ReviewRequest, seed: int, notes: Sequence[str], lost: NotInHistory
) -> Mapping[str, object]:
    settings = asked.settings
    return dict(
        _given(
            unit=settings.unit,
            prediction=settings.prediction,
            probabilities=dict(settings.probabilities),
            certainty=settings.certainty,
            key=settings.key,
            image=settings.image,
            label=settings.label,
            truth=asdict(settings.truth) if settings.truth.layout == CSV else {},
            slices=list(settings.slices),
            gate=dict(settings.gate),
            random=asked.random,
            uncertain=asked.uncertain,
            picked=list(asked.picked),
            second_look=asked.second_look,
            notes=notes,
            not_kept=lost.to_json() if lost.runs else {},
        ),
        seed=seed,
    )


def _given(**values: object) -> Iterator[tuple[str, object]]:
    return ((name, value) for name, value in values.items() if value)
