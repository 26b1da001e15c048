"""The records of a run: the rows of its output, joined with the rows of its input.

Nothing is guessed: a row that cannot be joined, or that has no prediction, is refused and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alo.errors import ReviewError
from alo.review.certainties import certainties
from alo.review.labels import can_be_label
from alo.review.settings import ReviewSettings
from alo.tables.content import picture_content, row_content
from alo.tables.reading import WholeTable, is_table, read_table

OUTPUT = "output.csv"
MOST_NAMED = 5  # pictures of a run that are missing


@dataclass(frozen=True, slots=True)
class RunFiles:
    """A run's files."""

    id: str
    output: Path  # the folder
    input: Path | None  # the folder; None: the input was not kept
    name: str = ""  # of the run, for people; its id where it has none


class FoundRecord(NamedTuple):
    """A row of a run's output that can be reviewed."""

    at: int  # its place in the population
    content: str
    predicted: str
    certainty: float | None
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecords:
    """What a run has to be reviewed."""

    run: str
    rows: int  # of the output, those included that were refused
    records: Sequence[FoundRecord]
    refused: Mapping[str, int] = field(default_factory=dict)  # why -> how many rows
    notes: Sequence[str] = ()


def read_records(run: RunFiles, settings: ReviewSettings, first: int = 0) -> RunRecords:
    """The records of a run whose records are the rows of its output.

    Args:
        first: the place of its row 0 in the population.
    Raises:
        ReviewError: it has no table, or that lacks a column that the settings name.
    """
    notes: list[str] = []
    output, cases = joined_tables(run, settings, notes)
    content_of = case_content(cases.columns, settings.label)
    predictions = _column(output, settings.prediction)
    certainty_of = certainties(output.columns, settings, notes)
    can_be = cache(can_be_label)
    refused: Counter[str] = Counter()
    found: list[FoundRecord] = []
    for number, row in enumerate(output.rows):
        predicted = row[predictions] if predictions < len(row) else ""
        content, why = content_of(cases.of(number, row))
        if not predicted:
            why = f"no value in column '{settings.prediction}'"
        elif not can_be(predicted):
            why = f"the value in column '{settings.prediction}' cannot be a label"
        if why:
            refused[why] += 1
            continue
        certainty, probabilities = certainty_of(row, predicted)
        found.append(FoundRecord(first + number, content, predicted, certainty, probabilities))
    return RunRecords(
        run=run.id, rows=len(output.rows), records=found, refused=dict(refused), notes=notes
    )


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
    _check_columns(output, settings, path)
    return output, _cases_of(run, output, settings, notes)


def tables_of(run: RunFiles) -> list[Path]:
    """The tables that the cases of a run are read from."""
    folders = [run.output] if run.input is None else [run.output, run.input]
    return [path for folder in folders for path in _tables(folder)]


def _cases_of(
    run: RunFiles, output: WholeTable, settings: ReviewSettings, notes: list[str]
) -> Cases:
    if settings.image:
        return Cases((), _pictures(run, output, settings, notes))
    found = _input_tables(run, notes)
    if not found:
        return _of_output(output, settings)
    given = _together(list(found.values()))
    columns, rows = given.columns, given.rows
    tables = [(name, len(each.rows)) for name, each in found.items()]
    if not settings.key:
        if len(rows) != len(output.rows):
            refusal = (
                f"the output has {len(output.rows):,} rows, the input {len(rows):,}:"
                " review.key names the column that joins them"
            )
            return Cases(columns, _refused(refusal))
        return Cases(columns, lambda at, _: Joined(rows[at], at=at), tables=tables)
    if settings.key not in columns:
        return Cases(columns, _refused(f"the input has no column '{settings.key}'"))
    joined = _by_key(given, output, settings.key)
    return Cases(columns, joined, tables=tables)


def output_table(run: RunFiles) -> WholeTable:
    """The table of a run's output.

    Raises:
        ReviewError: it has none.
    """
    return read_table(output_path(run))


def _of_output(output: WholeTable, settings: ReviewSettings) -> Cases:
    """Without the input, the case is what the output has beside what the model said."""
    own = {settings.prediction, settings.certainty, *settings.probabilities.values()}
    places = [at for at, name in enumerate(output.columns) if name not in own]

    def of(_: int, row: Sequence[str]) -> Joined:
        return Joined([row[at] if at < len(row) else "" for at in places])

    return Cases([output.columns[at] for at in places], of)


def _together(tables: Sequence[WholeTable]) -> WholeTable:
    """Tables of the same columns as one."""
    first, *others = tables
    if not others:
        return first
    return replace(first, rows=[row for each in tables for row in each.rows])


def _by_key(
    given: WholeTable, output: WholeTable, key: str
) -> Callable[[int, Sequence[str]], Joined]:
    theirs, rows = _column(output, key), given.rows
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
    place = _column(output, settings.image)
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


def missing_columns(columns: Sequence[str], settings: ReviewSettings) -> dict[str, str]:
    """The columns that settings name and an output does not have, by the keys that name them."""
    named = {
        "prediction": settings.prediction,
        "certainty": settings.certainty,
        "image": settings.image,
        "key": settings.key,
        **{f"probabilities.{name}": each for name, each in settings.probabilities.items()},
    }
    return {key: column for key, column in named.items() if column and column not in columns}


def _check_columns(output: WholeTable, settings: ReviewSettings, path: Path) -> None:
    for key, column in missing_columns(output.columns, settings).items():
        raise ReviewError(
            f"{OUTPUT} has no column '{column}', which review.{key} names",
            where=str(path),
            fix=f"columns: {', '.join(output.columns) or 'none: it is empty'}",
        )


def _column(table: WholeTable, name: str) -> int:
    return list(table.columns).index(name)


def output_path(run: RunFiles) -> Path:
    """The table of a run's results.

    Raises:
        ReviewError: it has none.
    """
    path = run.output / OUTPUT
    if path.is_file():
        return path
    others = list(_tables(run.output))
    if len(others) == 1:
        return others[0]
    raise ReviewError(
        f"run {run.id} has no {OUTPUT}" + (f", and {len(others)} other tables" if others else ""),
        where=str(run.output),
        fix="review.unit: request reviews whole runs, by their summary",
    )


def _input_tables(run: RunFiles, notes: list[str]) -> dict[str, WholeTable]:
    """The tables of a run's input, by path in its folder; none where it was not kept, or where
    they have different columns."""
    if run.input is None:
        return {}
    found = {
        path.relative_to(run.input).as_posix(): read_table(path) for path in _tables(run.input)
    }
    if len({tuple(each.columns) for each in found.values()}) > 1:
        notes.append(f"{run.id}: the tables of its input have different columns; they are not used")
        return {}
    return found


def _tables(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if is_table(path) and path.is_file() and not path.is_symlink():
            yield path
