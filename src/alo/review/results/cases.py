"""The cases that the rows of a run's results are about: rows of its input, or pictures.

Nothing is guessed: a row that cannot be joined has no case, and the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from alo.review.results.tables import (
    OUTPUT,
    RunFiles,
    check_columns,
    input_columns,
    input_tables,
    output_path,
)
from alo.review.settings import ReviewSettings
from alo.tables.content import picture_content, row_content
from alo.tables.reading import WholeTable, columns_of, read_table
from alo.texts import counted

MOST_NAMED = 5  # pictures of a run that are missing


class Joined(NamedTuple):
    """The case that a row of the output is about."""

    values: Sequence[str] = ()  # of the columns of the case
    picture: Path | None = None
    at: int | None = None  # its row in the tables of the input, counted through all of them
    why: str = ""  # why there is none


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a run: what gives the one of a row of its output, and its columns."""

    columns: Sequence[str]  # none of pictures
    of: Callable[[int, Sequence[str]], Joined]
    tables: Sequence[tuple[str, int]] = ()  # of the input: path in its folder, number of rows

    def place_of(self, joined: Joined) -> tuple[str, int | None]:
        """The table of the input that has a case, and its row there, from 0."""
        if joined.at is None:
            return "", None
        first = 0
        for name, rows in self.tables:
            if joined.at < first + rows:
                return name, joined.at - first
            first += rows
        return "", None


def joined_tables(
    run: RunFiles, settings: ReviewSettings, notes: list[str]
) -> tuple[WholeTable, Cases]:
    """The table of a run's output, and how its rows are joined with the input.

    Args:
        notes: what is odd is added here.
    Raises:
        ReviewError: it has no table, or that lacks a column that the settings name.
    """
    path = output_path(run)
    output = read_table(path)
    notes += [f"{run.id}: {OUTPUT}: {note}" for note in output.notes]
    check_columns(output, settings, path)
    return output, _cases_of(run, output, settings, notes)


def case_columns(run: RunFiles, settings: ReviewSettings) -> Sequence[str]:
    """The columns of the cases of a run, by the heads of its tables; none of pictures.

    Raises:
        ReviewError: it has no table.
    """
    if settings.image:
        return ()
    return input_columns(run) or _not_said(columns_of(output_path(run)), settings)


def _cases_of(
    run: RunFiles, output: WholeTable, settings: ReviewSettings, notes: list[str]
) -> Cases:
    if settings.image:
        return Cases((), _pictures(run, output, settings, notes))
    found = input_tables(run, notes)
    if not found:
        return _of_output(output, settings)
    given = _together(list(found.values()))
    columns, rows = given.columns, given.rows
    tables = [(name, len(each.rows)) for name, each in found.items()]
    if not settings.key:
        if len(rows) != len(output.rows):
            refusal = (
                f"the output has {counted(len(output.rows), 'row')}, the input {len(rows):,}:"
                " review.key names the column that joins them"
            )
            return Cases(columns, _refused(refusal))
        return Cases(columns, lambda at, _: Joined(rows[at], at=at), tables=tables)
    if settings.key not in columns:
        return Cases(columns, _refused(f"the input has no column '{settings.key}'"))
    joined = _by_key(given, output, settings.key)
    return Cases(columns, joined, tables=tables)


def _of_output(output: WholeTable, settings: ReviewSettings) -> Cases:
    """Without the input, the case is what the output has beside what the model said."""
    columns = _not_said(output.columns, settings)
    own = set(columns)
    places = [at for at, name in enumerate(output.columns) if name in own]

    def of(_: int, row: Sequence[str]) -> Joined:
        return Joined([row[at] if at < len(row) else "" for at in places])

    return Cases(columns, of)


def _not_said(columns: Sequence[str], settings: ReviewSettings) -> list[str]:
    """Of the columns of an output, those that are not what the model said."""
    said = {settings.prediction, settings.certainty, *settings.probabilities.values()}
    return [name for name in columns if name not in said]


def _together(tables: Sequence[WholeTable]) -> WholeTable:
    """Tables of the same columns as one."""
    first, *others = tables
    if not others:
        return first
    return replace(first, rows=[row for each in tables for row in each.rows])


def _by_key(
    given: WholeTable, output: WholeTable, key: str
) -> Callable[[int, Sequence[str]], Joined]:
    theirs, rows = column_at(output, key), given.rows
    keys = given.column(key)
    places = dict(zip(keys, range(len(keys)), strict=True))
    twice, twice_said = _repeated(keys), _repeated(output.column(key))

    def joined(_: int, row: Sequence[str]) -> Joined:
        value = row[theirs] if theirs < len(row) else ""
        if value in twice:
            return Joined(why=f"its '{key}' is more than once in the input")
        if value in twice_said:
            return Joined(why=f"its '{key}' is more than once in the output")
        at = places.get(value)
        if at is None:
            return Joined(why=f"its '{key}' is not in the input")
        return Joined(rows[at], None, at)

    return joined


def _repeated(values: Sequence[str]) -> frozenset[str]:
    """Those that are there more than once."""
    if len(set(values)) == len(values):
        return frozenset()
    return frozenset(value for value, times in Counter(values).items() if times > 1)


def _pictures(
    run: RunFiles, output: WholeTable, settings: ReviewSettings, notes: list[str]
) -> Callable[[int, Sequence[str]], Joined]:
    place = column_at(output, settings.image)
    pictures = _by_name(run.input) if run.input else {}

    missing = 0

    def by_picture(number: int, row: Sequence[str]) -> Joined:
        nonlocal missing
        if run.input is None:
            return Joined(why="the input of the run was not kept")
        name = row[place] if place < len(row) else ""
        if path := pictures.get(name):
            return Joined(picture=path)
        missing += 1
        if missing <= MOST_NAMED:
            notes.append(f"{run.id}: row {number}: no picture '{name}' in {run.input}")
        return Joined(why="its picture is missing")

    return by_picture


def _refused(why: str) -> Callable[[int, Sequence[str]], Joined]:
    return lambda _, __: Joined(why=why)


def _by_name(folder: Path) -> dict[str, Path]:
    """The files of an input, by each name that a table may have for them.

    That is the path in the input folder, the path without the folder of its source, or, where
    only one file is called so, the name alone.
    """
    found: dict[str, Path] = {}
    alone: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(folder).as_posix()
            found[name] = path
            if "/" in name:
                found.setdefault(name.partition("/")[2], path)
            alone.setdefault(path.name, []).append(path)
    for name, paths in alone.items():
        if len(paths) == 1:
            found.setdefault(name, paths[0])
    return found


def case_content(columns: Sequence[str], label: str) -> Callable[[Joined], tuple[str, str]]:
    """What gives the content id of a case, or why it has none.

    Args:
        columns: of the case.
        label: the column of the train data that is no part of it.
    """
    of_row = row_content(columns, label)

    def content_of(case: Joined) -> tuple[str, str]:
        values, picture, _, why = case
        if why:
            return "", why
        return (of_row(values), "") if picture is None else content_of_picture(picture)

    return content_of


def content_of_picture(path: Path) -> tuple[str, str]:
    """The content id of a picture, or why it has none."""
    try:
        return picture_content(path.read_bytes()), ""
    except OSError:
        return "", "its picture cannot be read"


def column_at(table: WholeTable, name: str) -> int:
    """The place of a column that a table has."""
    return list(table.columns).index(name)
