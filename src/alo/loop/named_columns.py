"""Whether the columns that a review names for later are there, and what they have to be.

Those of the output are looked for when it is read; the label's column and the slices are used
only once a data set is made, or a candidate judged: what is wrong with them is said before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path

from alo.errors import AloError, ReviewError
from alo.layout import Workspace
from alo.loop.plan_settings import train_data_paths
from alo.review.results.cases import case_columns
from alo.review.results.tables import RunFiles, tables_of
from alo.review.settings import REQUEST, USUAL_LABEL, ReviewSettings
from alo.tables.measured import are_measured
from alo.tables.reading import columns_of, first_cells, is_table
from alo.texts import counted

LOOKED_AT = 10_000  # rows of a table: enough to tell numbers from classes
TABLES = 20  # of the train data that are looked at
SHOWN = 30  # columns of an error


def check_named(
    workspace: Workspace, runs: Sequence[RunFiles], settings: ReviewSettings
) -> list[str]:
    """See that label and slices can be what a review says; returns what is to be said of them.

    Args:
        runs: those that are reviewed, the newest first.
    Raises:
        ReviewError: the label's column holds measured numbers, or a slice is no column.
    """
    return [*check_label(workspace, runs, settings), *check_slices(runs, settings)]


def check_label(
    workspace: Workspace, runs: Sequence[RunFiles], settings: ReviewSettings
) -> list[str]:
    """See that the label's column holds classes, as far as it is here; returns what is to be said.

    Raises:
        ReviewError: it holds measured numbers.
    """
    label = settings.label or USUAL_LABEL
    learned = [] if settings.image else list(_train_tables(workspace))
    own = tables_of(runs[0]) if runs and settings.label else []
    with_label = [path for path in (*learned, *own) if label in _columns(path)]
    for path in with_label:
        if are_measured(first_cells(path, label, LOOKED_AT)):
            raise ReviewError(
                f"the column '{label}' of {path.name} holds measured numbers, not classes:"
                " only a class can be a label",
                where=str(path),
                fix="name the column with the class by review.label in the plan, or --label",
            )
    if settings.label and learned and not set(with_label) & set(learned):
        return [
            f"no table of the plan's train data has the column '{label}', which review.label"
            " names: a data set needs another label (--label), or another base (--base)"
        ]
    return []


def check_slices(runs: Sequence[RunFiles], settings: ReviewSettings) -> list[str]:
    """See that slices are columns of what the model is given; returns what is to be said.

    Raises:
        ReviewError: one is in no run, or is the label's.
    """
    if not settings.slices:
        return []
    if settings.image or settings.unit == REQUEST:
        what = "pictures" if settings.image else "whole requests"
        named = ", ".join(settings.slices)
        return [f"{what} have no columns: the gate looks at no slices ({named})"]
    known: dict[str, Sequence[str]] = {}
    for run in runs:
        with suppress(AloError, OSError):  # whoever reads its results says so
            known[run.id] = case_columns(run, settings)
    every = list(dict.fromkeys(name for columns in known.values() for name in columns))
    notes: list[str] = []
    for column in settings.slices:
        without = [run for run, columns in known.items() if column not in columns]
        if column == settings.label:
            raise ReviewError(
                f"the slice '{column}' is the label's column, which is no part of a case",
                fix="review.slices, or --slices, names columns of the input",
            )
        if known and len(without) == len(known):
            near = get_close_matches(column, every, 1)
            raise ReviewError(
                f"no input has a column '{column}', which review.slices names",
                where=f"run {without[0]}" if len(known) == 1 else counted(len(known), "run"),
                fix=f"did you mean '{near[0]}'?" if near else f"columns: {_listed(every)}",
            )
        if without:
            notes.append(f"the slice '{column}' is no column of {counted(len(without), 'run')}")
    return notes


def _listed(columns: Sequence[str]) -> str:
    more = len(columns) - SHOWN
    shown = ", ".join(columns[:SHOWN]) or "none"
    return f"{shown}, and {more:,} more" if more > 0 else shown


def _train_tables(workspace: Workspace) -> Iterator[Path]:
    """Tables of the plan's train data, as far as that is here."""
    with suppress(AloError, OSError):  # a project may have runs and no plan any more
        paths = train_data_paths(workspace)
        files = ([path] if path.is_file() else sorted(path.rglob("*")) for path in paths)
        found = chain.from_iterable(files)
        yield from islice((each for each in found if is_table(each) and each.is_file()), TABLES)


def _columns(path: Path) -> Sequence[str]:
    with suppress(OSError):
        return columns_of(path)
    return ()
