"""Whether a pipeline answers each row by itself: a few rows in one piece, and in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from alo.batch.cutting.parts import halves, sample_rows
from alo.batch.cutting.shard import Cut, Shard
from alo.batch.shards.context import ShardContext
from alo.batch.shards.result import OUTPUT, Manifest
from alo.batch.shards.staging import Staging
from alo.batch.shards.tables import TableForm, first_difference, join
from alo.errors import BatchError
from alo.executors.task import SUCCESS, Done, Executor, Lost, Result, Task

LONGEST_SHOWN = 200  # characters of a row
FIX = "see why its rows depend on each other; or continue all the same: --row-check off"

Answer = tuple[Path, Manifest]


class Checked(NamedTuple):
    """What came of it."""

    rows: int = 0  # with which it was seen
    problem: str = ""  # why not with all of them
    form: TableForm | None = None  # of their table


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCheck:
    """What it is done with.

    Args:
        scratch: a folder for what is compared.
        takes_bad_rows: rows may have no output; they are left to whoever runs the shards.
    """

    executor: Executor
    staging: Staging
    context: ShardContext
    scratch: Path
    takes_bad_rows: bool

    def run(self, cut: Cut, rows: int) -> Checked:
        """See that so many rows have the same output in one piece and in two.

        Where some make a run fail, it is done with half of the rows, and so on, if they may.

        Raises:
            BatchError: they have not.
        """
        sample, problem, tries = sample_rows(cut, rows), "", 0
        while sample is not None and (parts := halves(sample)) is not None:
            tries += 1
            shards = [
                replace(each, name=f"sample-{tries}.{at}")
                for at, each in enumerate((sample, *parts))
            ]
            answers = self._answers(shards)
            failed = [each for each in answers if isinstance(each, str)]
            if not failed:
                whole, *pieces = (each for each in answers if not isinstance(each, str))
                self._compare(whole, pieces)
                return Checked(sample.rows or 0, problem, whole[1].form)
            problem = problem or failed[0]
            if not self.takes_bad_rows:
                break
            good = [
                part for part, each in zip(parts, answers[1:], strict=True) if each not in failed
            ]
            sample = (good or parts)[0]
        return Checked(0, problem)

    def _answers(self, shards: Sequence[Shard]) -> Sequence[Answer | str]:
        """What the pipeline makes of each, by runs that count for nothing else; or why not."""
        tasks = [self.context.task_of(shard, self.staging.put(shard)) for shard in shards]
        try:
            out = {self.executor.submit(task): at for at, task in enumerate(tasks)}
            found: dict[int, Answer | str] = {}
            for handle, event in self.executor.events():
                at = out[handle]
                if isinstance(event, Lost):
                    found[at] = event.reason
                elif isinstance(event, Done):
                    found[at] = self._answer(event.result, shards[at], tasks[at])
            return [found[at] for at in range(len(shards))]
        finally:
            for task in tasks:
                self.staging.drop(task.inputs["inference"])

    def _answer(self, result: Result, shard: Shard, task: Task) -> Answer | str:
        if result.status != SUCCESS or result.output is None:
            return result.error or result.status
        output = result.output
        try:
            return output, self.context.manifest_of(output, shard, task)
        except (BatchError, ValueError) as error:
            return str(error)

    def _compare(self, whole: Answer, pieces: Sequence[Answer]) -> None:
        for _, manifest in () if self.takes_bad_rows else (whole, *pieces):
            if manifest.form and manifest.rows_out != manifest.rows:
                raise _not_row_wise(
                    f"the output has {manifest.rows_out:,} rows for {manifest.rows:,} of the input"
                )
        one = _joined([whole], self.scratch / "in-one")
        other = _joined(pieces, self.scratch / "in-two")
        if one is None or other is None:
            if one != other:
                raise _not_row_wise("there is a table where all rows are answered at once, or not")
        elif found := first_difference(one, other):
            row, mine, theirs = found
            place = f"row {row:,} of the output" if row else "the output's header"
            raise _not_row_wise(
                f"{place} is {_shown(mine)} where all rows are answered at once, "
                f"and {_shown(theirs)} where they are in two pieces"
            )


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


def _shown(row: bytes) -> str:
    text = row.decode("utf-8", "replace").rstrip("\r\n")
    return f"'{text[:LONGEST_SHOWN]}'" if row else "not there"


def _not_row_wise(what: str) -> BatchError:
    return BatchError(f"the pipeline does not answer each row by itself: {what}", fix=FIX)
