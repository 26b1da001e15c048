"""The end of a batch: the results of its shards become the artifacts and the record of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alo.batch.cutting.parts import read_rows
from alo.batch.cutting.shard import ROWS, Cut, Shard
from alo.batch.shards.aggregate import result_of, score_of, summary_of
from alo.batch.shards.definition import BISECT, Definition
from alo.batch.shards.drive import ShardDrive
from alo.batch.shards.merge import (
    FailedRow,
    Merged,
    ShardLine,
    copy_logs,
    merge,
    steps_of,
    write_failed_rows,
    write_shards,
)
from alo.batch.shards.record import COMPLETE, DONE, FAILED, INCOMPLETE, BatchFolder, Outcome
from alo.batch.shards.result import OUTPUT, record_in
from alo.engine.pipeline_run import PipelineRun
from alo.errors import BatchError, in_one_line, passed_on
from alo.events.log_lines import warning
from alo.plan.model import Aggregate
from alo.texts import counted
from alolib.summary import EXACT_SCORE, write_summary

PARTIAL = "partial"  # of a shard: some of its rows failed


def finish(
    run: PipelineRun, drive: ShardDrive, found: Cut, folder: BatchFolder, definition: Definition
) -> None:
    """Make artifacts, summary and record of a run, and save it.

    Args:
        drive: that has run to its end.
    Raises:
        BatchError: no shard has an output.
        OSError: there is no room.
    """
    leaves = [leaf for shard in found.shards for leaf in drive.leaves[shard.number]]
    results = [
        (drive.path_of(leaf.name), drive.results[leaf.name])
        for leaf in leaves
        if leaf.name in drive.results
    ]
    if not results:
        states = [drive.states[leaf.name] for leaf in drive.failed]
        raise passed_on(
            BatchError,
            f"no shard has an output; {states[0].shard} failed: ",
            states[0].error,
            where=str(folder.path),
            fix=f"mend it, then resume: alo infer --resume {folder.name}",
        )
    merged = merge(results, run.artifacts)
    for note in merged.notes:
        run.emit(warning(note))
    for leaf in drive.failed:
        copy_logs(folder.failures / leaf.name, leaf.name, run.artifacts)
    aggregate = run.job.plan.control.aggregate
    lines = [_line(shard, drive, aggregate) for shard in found.shards]
    write_shards(lines, run.artifacts)
    if definition.tolerance.on_error == BISECT and drive.failed:
        write_failed_rows(found.columns, list(_failed_rows(drive, found)), run.artifacts)
    outcome = _outcome(run, drive, found, definition, merged, lines)
    manifests = [manifest for _, manifest in results]
    notes = list(_notes(found, drive, outcome, definition))
    called = "shards" if len(leaves) == len(found.shards) else "parts"
    summary = summary_of(manifests, aggregate, notes, called=called)
    _write_summary(run, summary)
    first = record_in(results[0][0])
    run.session.take_code_of(results[0][0], first, ())
    steps = steps_of([path for path, _ in results])
    run.session.note_steps_of_others(steps, first.packages, summary)
    folder.note_outcome(outcome)
    run.save(is_checked=True)


def _line(shard: Shard, drive: ShardDrive, aggregate: Aggregate) -> ShardLine:
    """What became of a shard of the input, whatever it was split into."""
    leaves = drive.leaves[shard.number]
    manifests = [drive.results[leaf.name] for leaf in leaves if leaf.name in drive.results]
    bad = [drive.states[leaf.name] for leaf in leaves if leaf.name not in drive.results]
    states = [drive.states[leaf.name] for leaf in leaves if leaf.name in drive.states]
    return ShardLine(
        shard=shard.name,
        rows=shard.rows,
        state=PARTIAL if bad and manifests else FAILED if bad else DONE,
        attempts=max((each.attempts for each in states), default=1),
        score=score_of(manifests, aggregate) if manifests else None,
        result=result_of(manifests, aggregate, "parts") if manifests else None,
        seconds=round(sum(each.seconds for each in states), 6),
        error=bad[0].error if bad else "",
    )


def _failed_rows(drive: ShardDrive, found: Cut) -> Iterator[FailedRow]:
    for leaf in drive.failed:
        error = in_one_line(drive.states[leaf.name].error)
        if leaf.rows is None:
            for piece in leaf.pieces:
                yield FailedRow({}, piece.file.name, None, error)
        else:
            for (source, row), cells in zip(leaf.row_places(), read_rows(leaf), strict=True):
                columns = dict(zip(found.columns, map(_text, cells), strict=False))
                yield FailedRow(columns, source, row, error)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _outcome(
    run: PipelineRun,
    drive: ShardDrive,
    found: Cut,
    definition: Definition,
    merged: Merged,
    lines: Sequence[ShardLine],
) -> Outcome:
    failed = sum(line.state == FAILED for line in lines)
    tolerance = definition.tolerance
    is_borne = tolerance.on_error == BISECT or failed <= tolerance.failed_shards
    reused = sum(
        all(leaf.name in drive.reused for leaf in drive.leaves[shard.number])
        for shard in found.shards
    )
    output = run.artifacts / OUTPUT
    return Outcome(
        batch=definition.name,
        run_id=run.record.id,
        status=COMPLETE if is_borne else INCOMPLETE,
        rows_in=found.rows,
        rows_out=merged.rows,
        rows_failed=sum(leaf.weight for leaf in drive.failed),
        total=len(found.shards),
        done=len(found.shards) - failed,
        failed=failed,
        reused=reused,
        output=str(output / merged.table if merged.table else output),
    )


def _notes(
    found: Cut, drive: ShardDrive, outcome: Outcome, definition: Definition
) -> Iterator[str]:
    """What the summary's note says: counts, and what a reader should not overlook."""
    rows = counted(found.files, "file") if found.rows is None else counted(found.rows, "row")
    yield f"{counted(outcome.total, 'shard')}, {rows}"
    if definition.tolerance.on_error == BISECT and drive.failed:
        yield f"{counted(len(drive.failed), 'row' if found.how == ROWS else 'file')} failed"
    elif outcome.failed:
        yield f"{counted(outcome.failed, 'shard')} left out"
    if found.how == ROWS and not definition.tolerance.row_check:
        yield "row check off"


def _write_summary(run: PipelineRun, summary: dict[str, object]) -> None:
    shown = {name: each for name, each in summary.items() if name != EXACT_SCORE}
    write_summary(
        str(run.artifacts / "score" / "inference_summary.yaml"),
        shown,
        run.job.plan.external.save_inference_artifacts_path,
        run.job.metadata_version,
    )
