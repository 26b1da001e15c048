"""What a model answers on the test rows of a data set, and what of them it has learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alo.datasets.catalog import Version
from alo.datasets.diff import reviewed_rows
from alo.datasets.manifest import LABELS, TEST_TABLE, Meaning
from alo.datasets.rows import TEST
from alo.errors import DatasetError
from alo.review.results.tables import RunFiles, output_table
from alo.tables.content import content_over, picture_content
from alo.tables.reading import is_table, read_table
from alo.texts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedCase:
    """A test row of a data set."""

    key: str  # the value of the key column, the row from 0, or the picture's name
    label: str
    record: str
    content: str
    weight: float
    values: Mapping[str, str]  # of its input, by column


def tested_cases(version: Version) -> list[TestedCase]:
    """The test rows of a version, in the order of ``test_labels.csv``.

    Raises:
        DatasetError: they cannot be read, or do not fit together.
    """
    lines = [line for line in reviewed_rows(version).values() if line["split"] == TEST]
    labels = read_table(version.folder / LABELS)
    if len(labels.rows) != len(lines):
        raise DatasetError(
            f"{LABELS} has {counted(len(labels.rows), 'row')}, where {len(lines)} test",
            where=str(version.folder),
            fix=f"alo dataset verify {version.manifest.reference}",
        )
    table = version.test_folder / TEST_TABLE
    inputs = read_table(table) if table.is_file() else None
    if inputs is not None and len(inputs.rows) != len(lines):
        raise DatasetError(
            f"{TEST}/{table.name} has {counted(len(inputs.rows), 'row')}, where {len(lines)} test",
            where=str(version.folder),
            fix=f"alo dataset verify {version.manifest.reference}",
        )
    found: list[TestedCase] = []
    for number, (row, line) in enumerate(zip(labels.rows, lines, strict=True)):
        values = dict(zip(inputs.columns, inputs.rows[number], strict=False)) if inputs else {}
        found.append(
            TestedCase(
                key=row[0],
                label=row[1] if len(row) > 1 else "",
                record=str(line["record"]),
                content=str(line["content"]),
                weight=float(line["weight"] or 1.0),
                values=values,
            )
        )
    return found


def answers_of(output: Path, cases: Sequence[TestedCase], meaning: Meaning) -> list[str | None]:
    """What a model has answered for each test row; None: nothing, or nothing that can be joined.

    Args:
        output: the folder with the results of the inference on ``test/``.
    Raises:
        ReviewError: there is no table of results.
    """
    table = output_table(RunFiles("of the test", output, None))
    columns = list(table.columns)
    if meaning.prediction not in columns:
        return [None] * len(cases)
    place = columns.index(meaning.prediction)
    said = [row[place] if place < len(row) else "" for row in table.rows]
    join = meaning.image or meaning.key
    if not join:
        return [each or None for each in said] if len(said) == len(cases) else [None] * len(cases)
    if join not in columns:
        return [None] * len(cases)
    at = columns.index(join)
    keys = [row[at] if at < len(row) else "" for row in table.rows]
    if meaning.image:
        keys = [Path(key).name for key in keys]
    times = Counter(keys)
    answers = {key: each for key, each in zip(keys, said, strict=True) if times[key] == 1}
    return [answers.get(case.key) or None for case in cases]


def contents_below(paths: Sequence[Path], meaning: Meaning) -> set[str]:
    """The content ids of all rows, or pictures, of some train data."""
    found: set[str] = set()
    files = [each for path in paths for each in ([path] if path.is_file() else path.rglob("*"))]
    for path in files:
        if not path.is_file():
            continue
        if not meaning.columns:
            found.add(picture_content(path.read_bytes()))
        elif is_table(path):
            table = read_table(path)
            if (content_of := content_over(meaning.columns, table.columns)) is not None:
                found.update(map(content_of, table.rows))
    return found
