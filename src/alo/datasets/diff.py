"""What differs between two versions of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alo.datasets.catalog import Version
from alo.datasets.manifest import ROWS
from alo.datasets.rows import is_row
from alo.errors import DatasetError
from alo.json_text import json_lines, ordinary_bytes

Line = Mapping[str, Any]


def reviewed_rows(version: Version) -> dict[str, Line]:
    """The lines of ``rows.jsonl``, by content id.

    Raises:
        DatasetError: they cannot be read.
    """
    path = version.folder / ROWS
    fix = (
        f"restore it from a backup: alo dataset verify {version.manifest.reference} names all of it"
    )
    try:
        lines = list(json_lines(ordinary_bytes(path)))
    except (OSError, ValueError) as error:
        raise DatasetError(f"its rows cannot be read: {error}", where=str(path), fix=fix) from error
    for number, line in enumerate(lines, 1):
        if not is_row(line):
            raise DatasetError(f"row {number} is no reviewed row", where=str(path), fix=fix)
    return {line["content"]: line for line in lines}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a version has more, less and otherwise than another."""

    before: str  # NAME@V
    after: str
    added: Sequence[Line]
    removed: Sequence[Line]
    relabelled: Sequence[Line]
    counts: Sequence[Mapping[str, object]]  # of both
    files: Sequence[str]  # paths that differ

    def to_json(self) -> dict[str, object]:
        """As `alo dataset diff --json` prints it."""
        return {
            "from": self.before,
            "to": self.after,
            "added": list(self.added),
            "removed": list(self.removed),
            "relabelled": list(self.relabelled),
            "counts": {"from": self.counts[0], "to": self.counts[1]},
            "files": list(self.files),
        }


def difference(one: Version, other: Version) -> Difference:
    """Compare two versions by their reviewed rows and their files."""
    before, after = reviewed_rows(one), reviewed_rows(other)
    shared = before.keys() & after.keys()
    files = [
        {each.path: each.sha256 for each in version.manifest.files} for version in (one, other)
    ]
    return Difference(
        before=one.manifest.reference,
        after=other.manifest.reference,
        added=[_said(after[content]) for content in after if content not in before],
        removed=[_said(before[content]) for content in before if content not in after],
        relabelled=[
            {**_said(after[content]), "from": before[content]["new"]}
            for content in before
            if content in shared and before[content]["new"] != after[content]["new"]
        ],
        counts=(one.manifest.counts, other.manifest.counts),
        files=sorted(
            name
            for name in files[0].keys() | files[1].keys()
            if files[0].get(name) != files[1].get(name)
        ),
    )


def _said(line: Line) -> dict[str, object]:
    return {"record": line["record"], "label": line["new"], "split": line["split"]}
