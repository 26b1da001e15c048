"""Whether a pipeline answers each row by itself: a few rows in one piece, and in two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alo.batch.cutting.parts import halves, sample_rows
from alo.batch.cutting.shard import Cut, Shard
from alo.batch.shards.drive import Same
from alo.batch.shards.result import OUTPUT, Manifest
from alo.batch.shards.staging import Staging
from alo.batch.shards.tables import TableForm, first_difference, join
from alo.errors import BatchError
from alo.executors.task import SUCCESS, Done, Executor, Lost, Task

LONGEST_SHOWN = 200  # characters of a row
FIX = "see why its rows depend on each other; or go on all the same: --row-check off"

Answer = tuple[Path, Manifest]


def check_rows(
    cut: Cut, rows: int, executor: Executor, staging: Staging, same: Same, scratch: Path
) -> str:
    """See that so many rows have the same output in one piece and in two.

    Args:
        scratch: a folder for what is compared.
    Returns:
        why that cannot be seen; empty: it has been.
    Raises:
        BatchError: they have not.
    """
    sample = sample_rows(cut, rows)
    parts = halves(sample) if sample else None
    if sample is None or parts is None:
        return ""
    shards = [sample, *parts]
    tasks = [same.task_of(shard, staging.put(shard)) for shard in shards]
    try:
        answers = _answers(shards, tasks, executor, same)
    finally:
        for task in tasks:
            staging.drop(task.inputs["inference"])
    if isinstance(answers, str):
        return answers
    for _, manifest in answers:
        if manifest.form and manifest.rows_out != manifest.rows:
            raise _not_row_wise(
                f"the output has {manifest.rows_out:,} rows for {manifest.rows:,} of the input"
            )
    whole, *pieces = answers
    _compare(_joined([whole], scratch / "in-one"), _joined(pieces, scratch / "in-two"))
    return ""


def _answers(
    shards: Sequence[Shard], tasks: Sequence[Task], executor: Executor, same: Same
) -> list[Answer] | str:
    """What the pipeline makes of each, by runs that count for nothing else; or why it does not."""
    out = {executor.submit(task): at for at, task in enumerate(tasks)}
    found: dict[int, Answer] = {}
    problem = ""
    for handle, event in executor.events():
        if isinstance(event, Lost):
            problem = problem or event.reason
        elif isinstance(event, Done):
            at, output = out[handle], event.result.output
            if event.result.status != SUCCESS or output is None:
                problem = problem or event.result.error or event.result.status
                continue
            try:
                found[at] = output, same.manifest_of(output, shards[at], tasks[at])
            except ValueError as error:
                problem = problem or str(error)
    return problem or [found[at] for at in range(len(shards))]


def _joined(answers: Sequence[Answer], path: Path) -> Path | None:
    """The table of several answers, as it would be in the output; None: they have none."""
    tables: list[tuple[Path, TableForm]] = [
        (folder / OUTPUT / each.table, each.form) for folder, each in answers if each.form
    ]
    if not tables:
        return None
    with open(path, "wb") as target:
        join(tables, target, counts_on=all(form.counts for _, form in tables))
    return path


def _compare(one: Path | None, other: Path | None) -> None:
    if one is None or other is None:
        if one != other:
            raise _not_row_wise("there is a table where all rows are answered at once, or not")
        return
    found = first_difference(one, other)
    if found is not None:
        row, mine, theirs = found
        place = f"row {row:,} of the output" if row else "the output's header"
        raise _not_row_wise(
            f"{place} is {_shown(mine)} where all rows are answered at once, "
            f"and {_shown(theirs)} where they are in two pieces"
        )


def _shown(row: bytes) -> str:
    text = row.decode("utf-8", "replace").rstrip("\r\n")
    return f"'{text[:LONGEST_SHOWN]}'" if row else "not there"


def _not_row_wise(what: str) -> BatchError:
    return BatchError(f"the pipeline does not answer each row by itself: {what}", fix=FIX)
