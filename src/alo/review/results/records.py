"""The records of a run: the rows of its results that can be reviewed, each with its case.

A row that has no case, or no prediction, is refused and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from alo.review.labels import can_be_label
from alo.review.results.cases import case_content, column_at, joined_tables
from alo.review.results.certainties import certainties
from alo.review.results.tables import RunFiles
from alo.review.settings import ReviewSettings


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
    predictions = column_at(output, settings.prediction)
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
