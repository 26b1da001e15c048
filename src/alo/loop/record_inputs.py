"""The inputs of reviewed records: columns with values, a picture, or the files of a whole request.

They are read from what the review has copied, or from the run's entry in history, joined as the
review joined them. What cannot be read comes with the reason: one record that is gone takes no
other with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from alo.errors import AloError, HistoryError
from alo.history.browse import Entry, History
from alo.layout import Workspace
from alo.loop.joined_cases import JoinedCase, joined_cases
from alo.review.record_ids import row_in
from alo.review.results.inputs import RecordInput
from alo.review.results.kept_inputs import KeptInputs
from alo.review.results.tables import RunFiles
from alo.review.rows import Review
from alo.review.settings import REQUEST, ReviewSettings

NOT_KEPT = "the input of the run was not kept"


def record_inputs(
    workspace: Workspace, review: Review, records: Iterable[str]
) -> dict[str, RecordInput]:
    """The inputs of some records of a review, in their order; each has one, or says why not."""
    wanted = list(dict.fromkeys(records))
    found = KeptInputs(workspace, review).read(wanted)
    by_run: dict[str, list[str]] = {}
    for record in wanted:
        if record not in found:
            by_run.setdefault(review.run_of(record), []).append(record)
    history = History(workspace)
    for run_id, those in by_run.items():
        for each in _of_run(history, review.settings, run_id, those):
            found[each.record] = each
    return {record: found[record] for record in wanted}


def run_inputs(
    workspace: Workspace, settings: ReviewSettings, run_id: str, records: Sequence[str]
) -> list[RecordInput]:
    """The inputs of some records of one run, joined as settings say, whatever reviews there are."""
    return list(_of_run(History(workspace), settings, run_id, records))


def run_files(entry: Entry) -> RunFiles:
    """Where the results of a run are, and its input, where that was kept."""
    given = entry.folder / "input"
    return RunFiles(entry.record.id, entry.folder / "output", given if given.is_dir() else None)


def files_below(folder: Path) -> list[Path]:
    """The files of a folder, by path; links are left out."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]


def _of_run(
    history: History, settings: ReviewSettings, run_id: str, records: Sequence[str]
) -> Iterator[RecordInput]:
    try:
        entry = history.find(run_id)
        if entry.record.id != run_id:  # the beginning of another run's id
            raise HistoryError(f"there is no run '{run_id}'")
        if settings.unit == REQUEST:
            yield from (_whole(entry, record) for record in records)
            return
        rows = [row_in(record) for record in records]
        cases = joined_cases(run_files(entry), settings, rows)
    except (AloError, OSError) as error:
        why = _why(error, run_id)
        yield from (RecordInput(record=record, why=why) for record in records)
        return
    for record, row in zip(records, rows, strict=True):
        yield _of_case(record, entry, cases[row])


def _of_case(record: str, entry: Entry, case: JoinedCase) -> RecordInput:
    picture = case.picture and entry.folder / "input" / case.picture
    why = case.why
    if picture and not picture.is_file():
        why = f"its picture is missing: {case.picture}"
    there = None if why else picture or None
    model = entry.record.train_id
    # In the order of its fields: by their names takes twice as long, and there are thousands.
    return RecordInput(
        record, case.columns, case.values, there, {}, case.table, case.row, case.key, model, why
    )


def _whole(entry: Entry, record: str) -> RecordInput:
    folder = run_files(entry).input
    model = entry.record.train_id
    if folder is None:
        return RecordInput(record=record, model=model, why=NOT_KEPT)
    files = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    return RecordInput(record=record, files=files, model=model)


def _why(error: AloError | OSError, run_id: str) -> str:
    if isinstance(error, HistoryError):
        return f"run {run_id} is in history no more"
    return f"run {run_id}: {error.what if isinstance(error, AloError) else error}"
