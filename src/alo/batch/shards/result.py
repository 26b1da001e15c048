"""The result of a shard: a folder that counts once, with a manifest that says what has to be there.

It is a folder as history has of a run, renamed into its place when its manifest is in it: what is
there is whole, and a later attempt's result is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alo.batch.shards.record import RECORDS
from alo.batch.shards.tables import TableForm, form_of
from alo.engine.checks.results import IMAGES, TABLES
from alo.errors import BatchError
from alo.executors.task import RunDone
from alo.files import checksum, discard, write_whole
from alo.history.entries.move import move_entry
from alo.history.entries.names import RECORD
from alo.history.entries.tree import FILE, found_below
from alo.history.record import RunRecord
from alo.json_text import DEEPEST, json_bytes, json_file, json_object

MANIFEST = "manifest.json"
OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a shard has come to."""

    shard: str
    rows: int | None  # of its input; None: whole files
    weight: int  # what it counts in a mean: rows or files
    input: str  # digest of what it was given
    ids: Mapping[str, str]  # model, code and args
    run: str  # id of the shard's own run, as its logs have it
    score: float
    result: str
    probability: Mapping[str, float]
    files: Mapping[str, str]  # name → checksum; all that counts
    table: str = ""  # in output/; empty: none
    form: TableForm | None = None  # of the table
    images: tuple[str, ...] = field(default=())  # in output/

    @property
    def rows_out(self) -> int:
        """How many rows its table has."""
        return self.form.rows if self.form else 0

    def to_json(self) -> dict[str, object]:
        """As the file has it."""
        form = None
        if self.form is not None:
            form = {**asdict(self.form), "header": self.form.header.decode("latin-1")}
        return {**asdict(self), "form": form}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Manifest:
        """The manifest that ``to_json`` has written.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        form = content["form"]
        if form is not None:
            form = TableForm(**{**form, "header": form["header"].encode("latin-1")})
        return cls(**{**content, "form": form, "images": tuple(content["images"])})


def manifest_of(
    output: Path,
    *,
    shard: str,
    rows: int | None,
    weight: int,
    digest: str,
    ids: Mapping[str, str],
    code: Mapping[str, str],
) -> Manifest:
    """Look through what a run of a shard has left.

    Args:
        output: a folder as history has.
        digest: of the shard's input.
        code: checksums of files that it has to have run.
    Raises:
        OSError, ValueError: something cannot be read.
        BatchError: its table cannot be joined with others, or it has run other code.
    """
    record = record_in(output)
    _refuse_other_code(record, code)
    names = [each.name for each in found_below(output / OUTPUT) if "/" not in each.name]
    tables = [name for name in names if os.path.splitext(name)[1].lower() in TABLES]
    images = [name for name in names if os.path.splitext(name)[1].lower() in IMAGES]
    return Manifest(
        shard=shard,
        rows=rows,
        weight=weight,
        input=digest,
        ids=dict(ids),
        run=record.id,
        score=RunDone.of(record).score or 0.0,
        result=record.result,
        probability=dict(record.probability),
        files=_checksums(output),
        table=tables[0] if tables else "",
        form=form_of(output / OUTPUT / tables[0]) if tables else None,
        images=tuple(sorted(images)),
    )


def _refuse_other_code(record: RunRecord, code: Mapping[str, str]) -> None:
    ran: Any = record.code_id_description.get("files") or {}
    for name, known in code.items():
        if ran.get(name, known) != known:
            raise BatchError(
                f"{name} is not as it was when the batch began", fix="begin anew: --restart NAME"
            )


def put_in_place(output: Path, results: Path, manifest: Manifest) -> Path:
    """Have a result count, unless one of an earlier attempt does.

    Raises:
        OSError: it cannot be put there; nothing of it counts.
    """
    place = results / manifest.shard
    if place.exists():
        discard(output)
        return place
    write_whole(output / MANIFEST, json_bytes(manifest.to_json()))
    return move_entry(output, results, manifest.shard)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a result.

    Raises:
        BatchError: there is none, or it cannot be read.
    """
    with RECORDS.reading("result of a shard", folder):
        return Manifest.from_json(json_object(folder / MANIFEST))


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether all that the manifest lists is there as it was."""
    try:
        return _checksums(folder, manifest.files) == dict(manifest.files)
    except OSError:
        return False


def record_in(folder: Path) -> RunRecord:
    """The record of the shard's run.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    return RunRecord.from_json(json_file(folder / RECORD, deepest=DEEPEST))


def _checksums(folder: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    if names is None:
        names = [
            each.name for each in found_below(folder) if each.kind == FILE and each.name != MANIFEST
        ]
    return {name: checksum(folder / name) for name in sorted(names)}
