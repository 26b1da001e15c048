"""Make a data set of what people said in reviews, and of the data that the model was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alo.database.audit import Audit
from alo.database.connection import Database
from alo.datasets.catalog import Catalog, Version
from alo.datasets.make import DatasetRequest, make_version
from alo.datasets.manifest import Manifest, Meaning
from alo.datasets.pictures import PictureTable
from alo.datasets.rows import TRAIN, ReviewedRow
from alo.datasets.split import TEST_SHARE
from alo.errors import DatasetError, HistoryError, UsageError
from alo.files import many_objects
from alo.layout import Workspace
from alo.loop.accuracy_of import LABELLED
from alo.loop.plan_settings import train_data_paths
from alo.loop.record_inputs import record_inputs
from alo.review.results.inputs import RecordInput
from alo.review.reviews import Reviews
from alo.review.rows import Review, SaidRecord
from alo.review.settings import CSV, REQUEST, USUAL_LABEL, ReviewSettings

NONE = "none"  # --base: made of reviews alone


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRequest:
    """What `alo dataset make` was asked for."""

    name: str
    reviews: Sequence[str]
    base: str = ""  # a path, NAME@V or none; empty: the plan's train data
    test_share: float = TEST_SHARE
    label: str = ""  # the column of the train data; empty: what the reviews were made with
    note: str = ""
    person: str = ""
    time: str = ""
    command: str = ""


def make_dataset(
    workspace: Workspace, database: Database, asked: MakeRequest
) -> tuple[Version, bool]:
    """Make a version of a data set; returns it, and whether it is new.

    Raises:
        UsageError: there is no such review or base.
        DatasetError: there is nothing to make it of, or reviews and base do not fit.
    """
    with many_objects():
        return _make(workspace, database, asked)


def _make(workspace: Workspace, database: Database, asked: MakeRequest) -> tuple[Version, bool]:
    catalog, reviews = Catalog(workspace), Reviews(database)
    found = [reviews.get(name) for name in dict.fromkeys(asked.reviews)]
    settings = [review.settings for review in found]
    if any(each.unit == REQUEST for each in settings):
        raise DatasetError(
            "a review of whole requests has no rows to learn from",
            fix="make a review with --unit row",
        )
    gathered = _Gathered()
    for review, each in zip(found, settings, strict=True):
        gathered.take(workspace, reviews, review, each)
    if len({tuple(sorted(columns)) for columns in gathered.columns}) > 1:
        raise DatasetError(
            "the inputs of these runs have different columns",
            where=f"reviews {', '.join(asked.reviews)}",
            fix="make a data set of those reviews alone whose inputs have the same columns",
        )
    first = settings[0]
    label = asked.label or first.label or USUAL_LABEL
    meaning = _meaning(settings, label, gathered.columns[0] if gathered.columns else ())
    request = DatasetRequest(
        name=asked.name,
        rows=gathered.rows,
        reviews=[review.name for review in found],
        base=asked.base or "plan",
        base_paths=_base_paths(workspace, catalog, asked.base),
        test_share=asked.test_share,
        picture_table=_picture_table(first, label),
        labels=list(dict.fromkeys(label.name for each in found for label in each.labels.shown)),
        meaning=replace(meaning, agreement=_agreement(reviews, found)),
        counts=gathered.counts,
        who=asked.person,
        when=asked.time,
        note=asked.note,
        command=asked.command,
    )

    def note(manifest: Manifest) -> None:
        after = {"id": manifest.id, "reviews": manifest.reviews, "base": manifest.base}
        Audit(database).add(asked.person, "make-dataset", manifest.reference, after=after)

    return make_version(catalog, request, note)


def labels_of_two_names(database: Database, manifest: Manifest) -> dict[str, tuple[str, int]]:
    """Labels that reviews call otherwise than train rows do: a model takes them for two.

    Reviews that are no more say nothing.

    Returns:
        The old name → that of now, and how many train rows have the old one.
    """
    learned = manifest.counts.get(TRAIN)
    counts = learned if isinstance(learned, Mapping) else {}
    reviews = [each for each in Reviews(database).all() if each.name in manifest.reviews]
    found: dict[str, tuple[str, int]] = {}
    for labels in (review.labels for review in reviews):
        for each in labels.everything:
            now = str(labels.name_of(each.id))
            if each.id not in labels.ids and each.id in counts:
                found[each.id] = (now, int(counts[each.id]))
    return found


def _picture_table(settings: ReviewSettings, label: str) -> PictureTable | None:
    truth = settings.truth
    return PictureTable(truth.file, truth.path, label) if truth.layout == CSV else None


def _meaning(settings: Sequence[ReviewSettings], label: str, columns: Sequence[str]) -> Meaning:
    """Which columns mean what: as the first review says, whose results a model answers like."""
    first = settings[0]
    return Meaning(
        prediction=first.prediction,
        key=first.key,
        image=first.image,
        label=label,
        columns=tuple(name for name in columns if name != label),
        slices=first.slices,
        gate=_gate(settings),
    )


def _gate(settings: Sequence[ReviewSettings]) -> dict[str, float]:
    """The rules that the reviews say otherwise than the plan; of two that do, the first one's."""
    return {key: value for each in reversed(settings) for key, value in each.gate.items()}


def _agreement(reviews: Reviews, found: Sequence[Review]) -> Mapping[str, object]:
    """Of the review that most records were labelled twice in: the limit of what can be measured."""
    agreed = [reviews.agreement(review) for review in found]
    return max(agreed, key=lambda each: each.items).to_json()


class _Gathered:
    """The rows of reviews that have a label, and how many others were decided."""

    def __init__(self) -> None:
        self.rows: list[ReviewedRow] = []
        self.counts: Counter[str] = Counter()
        self.columns: list[Sequence[str]] = []

    def take(
        self, workspace: Workspace, reviews: Reviews, review: Review, settings: ReviewSettings
    ) -> None:
        """The records of one review that were decided."""
        said = reviews.said(review)
        self.counts.update(each.state for each in said if each.state not in LABELLED)
        labelled = [each for each in said if each.state in LABELLED]
        ids = [review.record_id(each.at) for each in labelled]
        inputs = record_inputs(workspace, review, ids)
        for record, each in zip(ids, labelled, strict=True):
            given = inputs[record]
            if given.columns and given.columns not in self.columns:
                self.columns.append(given.columns)
            self.rows.append(_row(review, each, given, settings.label))


def _row(review: Review, said: SaidRecord, given: RecordInput, label: str) -> ReviewedRow:
    content, why = given.content(label)
    run = review.run_of(given.record)
    if content != said.content:
        raise HistoryError(
            f"record {given.record} is not as it was reviewed: {why or 'its input has changed'}",
            where=f"review {review.name}",
            fix=f"alo history verify {run}",
        )
    return ReviewedRow(
        record=given.record,
        content=content,
        run=run,
        model=given.model,
        predicted=said.predicted,
        certainty=said.certainty,
        label=str(review.labels.name_of(said.label)),
        by=said.by,
        at=said.time,
        source=said.source,
        weight=said.weight,
        columns=given.columns,
        values=given.values,
        key=given.key,
        picture=given.picture,
    )


def _base_paths(workspace: Workspace, catalog: Catalog, base: str) -> list[Path]:
    """The folders and files that the base of a data set is made of."""
    if base == NONE:
        return []
    if base:
        path = (workspace.home / base).resolve()
        if path.exists():
            return [path]
        if "/" in base:
            raise UsageError(
                f"there is no base '{base}'",
                where=str(path),
                fix="--base takes a path of the project or an absolute one, NAME@V, or none",
            )
        return catalog.find_whole(base).train_paths
    found = train_data_paths(workspace)
    if not found:
        raise UsageError(
            "the train data of the plan is not here",
            fix="alo run --mode train brings it here; or name a base: --base PATH, or none",
        )
    return found
