"""The cases of a run by row of its output; the tables of the last runs are kept in memory.

Rows are divided into cells as they are asked for: of a large run no more is made than is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from alo.loop.kept_lately import KeptLately
from alo.review.results.cases import Cases, joined_tables
from alo.review.results.tables import RunFiles, tables_of
from alo.review.settings import ReviewSettings
from alo.tables.reading import WholeTable

MOST_BYTES = 1 << 26  # of all tables that are kept; those of a larger run are read each time


class JoinedCase(NamedTuple):
    """The case of a row of the output."""

    columns: Sequence[str] = ()
    values: Sequence[str] = ()
    picture: str = ""  # its path in the input folder
    table: str = ""  # as are these two
    row: int | None = None
    key: str = ""  # the value of the column that joins
    why: str = ""  # why there is none


def joined_cases(
    run: RunFiles, settings: ReviewSettings, rows: Sequence[int]
) -> dict[int, JoinedCase]:
    """The cases of these rows of a run's output.

    Raises:
        ReviewError: its output has no table, or that lacks a column that the settings name.
        OSError: a table cannot be read.
    """
    stamps = tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in tables_of(run))
    key = (run, _How.of(settings), stamps)  # other tables are read anew
    joined = _kept.get(key)
    if joined is None:
        size = sum(size for size, _ in stamps)
        joined = _kept.keep(key, joined_tables(run, settings, []), size)
    output, cases = joined
    columns = tuple(cases.columns)
    at = list(output.columns).index(settings.key) if settings.key else -1
    return {row: _case(run, output, cases, columns, at, row) for row in rows}


class _How(NamedTuple):
    """What the join of a run's output and input depends on."""

    key: str
    image: str
    prediction: str
    certainty: str
    probabilities: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, settings: ReviewSettings) -> _How:
        probabilities = tuple(settings.probabilities.items())
        return cls(
            settings.key, settings.image, settings.prediction, settings.certainty, probabilities
        )


_Key = tuple[RunFiles, _How, tuple[tuple[int, int], ...]]
_Join = tuple[WholeTable, Cases]


_kept = KeptLately[_Key, _Join](MOST_BYTES)


def _case(
    run: RunFiles, output: WholeTable, cases: Cases, columns: Sequence[str], at: int, number: int
) -> JoinedCase:
    if number >= len(output.rows):
        return JoinedCase(why="its row is gone from the output")
    row = output.rows[number]
    joined = cases.of(number, row)
    table, place = cases.place_of(joined)
    key = row[at] if 0 <= at < len(row) else ""
    if joined.why:
        return JoinedCase(table=table, row=place, key=key, why=joined.why)
    values, picture = joined.values, ""
    if len(values) != len(columns):
        values = [*values, *[""] * (len(columns) - len(values))][: len(columns)]
    if joined.picture and run.input:
        picture = joined.picture.relative_to(run.input).as_posix()
    return JoinedCase(columns, values, picture, table, place, key)
