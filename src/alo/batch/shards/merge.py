"""The artifacts of one run of those of its shards: table, images, what is beside them, and logs."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from alo.batch.shards.result import MANIFEST, OUTPUT, Manifest, record_in
from alo.batch.shards.tables import join
from alo.copies import clone_or_copy
from alo.history.entries.checksums import CHECKSUMS
from alo.history.entries.names import RECORD
from alo.history.entries.tree import FOLDER, Found, copy_tree, found_below, put
from alo.history.record import StepRecord
from alo.layout import ASSETS, PLAN_NAME, PROJECT_CODE

IMAGES = "images"
SHARDS_LOG = "score/shards.jsonl"
FAILED_ROWS = "extra_output/alo/failed_rows.csv"
CODE = (ASSETS, PROJECT_CODE)  # in a shard's folder, and one for all of them
FILES_OF_ENTRY = (MANIFEST, PLAN_NAME, RECORD, CHECKSUMS)


@dataclass(frozen=True, slots=True)
class Merged:
    """What the shards have become."""

    table: str = ""  # in output/; empty: none
    rows: int = 0  # of the table
    counts_on: bool = False  # its first column was numbered anew
    images: int = 0
    notes: tuple[str, ...] = ()  # what a user should know


def merge(results: Sequence[tuple[Path, Manifest]], artifacts: Path) -> Merged:
    """Fill the artifacts of a run.

    Args:
        results: folder and manifest of each shard that is done, in their order.
    Raises:
        OSError: a result cannot be read, or there is no room.
    """
    merged = _merge_tables(results, artifacts / OUTPUT)
    images = 0
    for folder, manifest in results:
        images += _copy_images(folder, manifest, artifacts / OUTPUT / IMAGES / manifest.shard)
        _copy_beside(folder, manifest.shard, artifacts)
    return Merged(merged.table, merged.rows, merged.counts_on, images, merged.notes)


def _merge_tables(results: Sequence[tuple[Path, Manifest]], output: Path) -> Merged:
    tables = [
        (folder / OUTPUT / each.table, each.form)
        for folder, each in results
        if each.form is not None
    ]
    output.mkdir(parents=True, exist_ok=True)
    if not tables:
        return Merged()
    names = dict.fromkeys(path.name for path, _ in tables)
    table, notes = next(iter(names)), []
    if len(names) > 1:
        notes.append(f"the shards gave their tables {len(names)} names; all rows are in {table}")
    counts_on = len(tables) > 1 and all(form.counts for _, form in tables)
    if counts_on and any(form.rows for _, form in tables[1:]):
        notes.append(f"the first column of {table}, which has no name, counts on over all shards")
    with open(output / table, "xb") as target:
        rows = join(tables, target, counts_on=counts_on)
    return Merged(table, rows, counts_on, notes=tuple(notes))


def _copy_images(folder: Path, manifest: Manifest, target: Path) -> int:
    for name in manifest.images:
        target.mkdir(parents=True, exist_ok=True)
        clone_or_copy(folder / OUTPUT / name, target / name)
    return len(manifest.images)


def _copy_beside(folder: Path, shard: str, artifacts: Path) -> None:
    """What is not merged, in its own folder, and there below the shard's name."""
    made: set[Path] = set()
    for found in _beside(folder):
        above, _, name = found.name.rpartition("/")
        top, _, inner = above.partition("/")
        target = artifacts / top / shard / inner
        if top == OUTPUT:  # clients look for files right in there
            target = artifacts / top / inner / shard
        if target not in made:
            target.mkdir(parents=True, exist_ok=True)
            made.add(target)
        put(found, os.fspath(target / name))


def copy_logs(folder: Path, shard: str, artifacts: Path) -> None:
    """The logs of a shard that failed, where those of the others are.

    Raises:
        OSError: there is no room.
    """
    if folder.is_dir():
        copy_tree(folder, artifacts / "log" / shard)


def _beside(folder: Path) -> Iterator[Found]:
    for found in found_below(folder):
        above = os.path.dirname(found.name)
        is_merged = above in ("", OUTPUT) or found.name.partition("/")[0] in CODE
        if not (is_merged or found.kind == FOLDER or found.name in FILES_OF_ENTRY):
            yield found


def steps_of(results: Sequence[Path]) -> tuple[StepRecord, ...]:
    """The steps of all shards taken together: seconds are added up, of memory it is the most.

    Raises:
        OSError, ValueError: a record cannot be read.
    """
    steps: dict[str, StepRecord] = {}
    for folder in results:
        for step in record_in(folder).steps:
            known = steps.get(step.name)
            steps[step.name] = step if known is None else _together(known, step)
    return tuple(steps.values())


def _together(one: StepRecord, other: StepRecord) -> StepRecord:
    return one._replace(
        status=one.status if one.status == other.status else "success",
        seconds=round(one.seconds + other.seconds, 6),
        cpu_seconds=round(one.cpu_seconds + other.cpu_seconds, 6),
        peak_bytes=max(one.peak_bytes, other.peak_bytes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardLine:
    """What became of a shard of the input, as a line of ``score/shards.jsonl`` has it."""

    shard: str
    rows: int | None  # None: whole files
    state: str  # done, partial or failed
    attempts: int
    score: float | None  # None: it has no output, and no result either
    result: str | None
    seconds: float
    error: str


def write_shards(lines: Sequence[ShardLine], artifacts: Path) -> None:
    """Write what became of each shard.

    Raises:
        OSError: there is no room.
    """
    path = artifacts / SHARDS_LOG
    path.parent.mkdir(exist_ok=True)
    with open(path, "x", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(f"{json.dumps(asdict(line), ensure_ascii=False)}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A row, or a file, that no output could be made for."""

    columns: Mapping[str, str]  # empty for a file
    source: str  # its file's name below the input
    row: int | None  # its number there, from 0
    error: str


def write_failed_rows(columns: Sequence[str], rows: Sequence[FailedRow], artifacts: Path) -> None:
    """Write what is missing from the output.

    Raises:
        OSError: there is no room.
    """
    path = artifacts / FAILED_ROWS
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "x", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv.writer(file)
        table.writerow([*columns, "_alo_source", "_alo_row", "_alo_error"])
        for each in rows:
            values = [each.columns.get(name, "") for name in columns]
            number = "" if each.row is None else each.row
            table.writerow([*values, each.source, number, each.error])
