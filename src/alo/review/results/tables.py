"""The tables of a run: that of its results, those of its input, and which columns they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alo.errors import ReviewError
from alo.plan.suggest import listed
from alo.review.settings import ReviewSettings
from alo.tables.reading import WholeTable, columns_of, is_table, read_table

OUTPUT = "output.csv"


@dataclass(frozen=True, slots=True)
class RunFiles:
    """A run's files."""

    id: str
    output: Path  # the folder
    input: Path | None  # the folder; None: the input was not kept


def output_path(run: RunFiles) -> Path:
    """The table of a run's results.

    Raises:
        ReviewError: it has none.
    """
    path = run.output / OUTPUT
    if path.is_file() and path.resolve().is_relative_to(run.output.resolve()):
        return path
    others = list(_tables(run.output))
    if len(others) == 1:
        return others[0]
    raise ReviewError(
        f"run {run.id} has no {OUTPUT}" + (f", and {len(others)} other tables" if others else ""),
        where=str(run.output),
        fix="review.unit: request reviews whole runs, by their summary",
    )


def output_table(run: RunFiles) -> WholeTable:
    """The table of a run's output.

    Raises:
        ReviewError: it has none.
    """
    return read_table(output_path(run))


def tables_of(run: RunFiles) -> list[Path]:
    """The tables that the cases of a run are read from."""
    folders = [run.output] if run.input is None else [run.output, run.input]
    return [path for folder in folders for path in _tables(folder)]


def input_tables(run: RunFiles, notes: list[str]) -> dict[str, WholeTable]:
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


def input_columns(run: RunFiles) -> Sequence[str]:
    """The columns of the tables of a run's input; none where it has none that are used."""
    if run.input is None:
        return ()
    found = {tuple(columns_of(path)) for path in _tables(run.input)}
    return found.pop() if len(found) == 1 else ()


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


def check_columns(output: WholeTable, settings: ReviewSettings, path: Path) -> None:
    """See that an output has the columns that settings name.

    Raises:
        ReviewError: it lacks one.
    """
    for key, column in missing_columns(output.columns, settings).items():
        raise ReviewError(
            f"{OUTPUT} has no column '{column}', which review.{key} names",
            where=str(path),
            fix=f"columns: {listed(output.columns) or 'none: it is empty'}",
        )


def _tables(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if is_table(path) and path.is_file() and not path.is_symlink():
            yield path
