"""What a review has copied of its runs: the inputs of its decided records, all or none of them.

``studio/reviews/<name>/inputs.jsonl`` has a line for each record, ``files/`` the pictures and the
files of whole requests, by their content. A file is there before a line names it, and the lines are
replaced at once: whatever a kill leaves, what is named is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alo.copies import clone_or_copy, settle
from alo.errors import ReviewError
from alo.files import (
    CHUNK,
    alone_with,
    discard,
    remove_tree,
    sweep_leftovers,
    write_whole,
)
from alo.layout import Workspace
from alo.real_names import real_names
from alo.review.results.inputs import RecordInput
from alo.review.rows import Review

FOLDER = "reviews"  # below studio/
INPUTS, FILES = "inputs.jsonl", "files"
NEW = ".new-"  # of the folder of a file that is being copied
_BEGIN = b'{"record": "'  # of a line, so that one is found without reading all


class KeptInputs:
    """The copies of one review."""

    def __init__(self, workspace: Workspace, review: Review) -> None:
        self.folder = workspace.studio / FOLDER / review.name
        self.path = self.folder / INPUTS
        self._head = {"review": review.name, "created": review.created, "number": review.number}

    def read(self, records: Collection[str]) -> dict[str, RecordInput]:
        """Those of these records that were copied.

        Raises:
            ReviewError: they are damaged.
        """
        found: dict[str, RecordInput] = {}
        try:
            with open(self.path, "rb") as file:
                if json.loads(next(file, b"null")) != self._head:  # of one that was so called
                    return {}
                wanted = {json.dumps(record)[1:-1].encode(): record for record in records}
                for line in file:
                    name, _, _ = line.removeprefix(_BEGIN).partition(b'"')
                    if name in wanted:
                        found[wanted[name]] = self._input(json.loads(line))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReviewError(
                f"what the review has copied cannot be read: {error}",
                where=str(self.path),
                fix="restore it from a backup",
            ) from error
        return found

    def write(self, inputs: Sequence[RecordInput]) -> None:
        """Copy these inputs, and forget others; those that say why they are not there are left out.

        Raises:
            OSError: they cannot be copied; what was copied before stays.
        """
        (self.folder / FILES).mkdir(parents=True, exist_ok=True)
        with alone_with(self.folder):
            sweep_leftovers(self.folder)
            copied: set[str] = set()
            lines = [self._head, *self._lines(inputs, copied)]
            settle(self.folder / FILES)
            content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            write_whole(self.path, content)
            for name in set(os.listdir(self.folder / FILES)) - copied:
                discard(self.folder / FILES / name)

    def remove(self) -> None:
        """Delete the copies; none at all are no error."""
        remove_tree(self.folder)

    def _lines(
        self, inputs: Sequence[RecordInput], copied: set[str]
    ) -> Iterator[Mapping[str, object]]:
        for each in inputs:
            if each.why:
                continue
            sources = each.files if each.picture is None else {each.picture.name: each.picture}
            named = {name: self._copy(path, copied) for name, path in sources.items()}
            if None in named.values():  # it went while others were copied
                continue
            yield {
                "record": each.record,
                "columns": list(each.columns),
                "values": list(each.values),
                "is_picture": each.picture is not None,
                "files": named,
                "table": each.table,
                "row": each.row,
                "key": each.key,
                "model": each.model,
            }

    def _copy(self, source: Path, copied: set[str]) -> str | None:
        """Copy a file, unless it is here; returns its folder below ``files/``, None: it is gone."""
        if source.parent.parent == self.folder / FILES:
            name = source.parent.name
        else:
            try:
                name = _name_of(source)
            except FileNotFoundError:
                return None
        target = self.folder / FILES / name
        if not target.is_dir():
            new = target.with_name(f"{NEW}{os.urandom(6).hex()}")
            with real_names({new: target}):
                new.mkdir()
                clone_or_copy(source, new / source.name)
                new.rename(target)
        copied.add(name)
        return name

    def _input(self, line: Mapping[str, Any]) -> RecordInput:
        files = {
            name: self.folder / FILES / folder / Path(name).name
            for name, folder in line["files"].items()
        }
        missing = [name for name, path in files.items() if not path.is_file()]
        return RecordInput(
            record=line["record"],
            columns=tuple(line["columns"]),
            values=line["values"],
            picture=next(iter(files.values())) if line["is_picture"] and not missing else None,
            files={} if line["is_picture"] else files,
            table=line["table"],
            row=line["row"],
            key=line["key"],
            model=line["model"],
            why=f"the copy of {missing[0]} is missing below {self.folder}" if missing else "",
        )


def _name_of(source: Path) -> str:
    """Of a file's folder: the same for the same content and name, so that both stay as they are."""
    digest = hashlib.sha256(os.fsencode(source.name) + b"\0")
    with open(source, "rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()[:32]
