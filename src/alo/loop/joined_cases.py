"""The cases of a run by row of its output, a few of a large table without reading all of it.

What was joined of large tables is kept below `.alo/`, in a file for each run and way of joining;
it is made again once it is gone, or the tables are others.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from alo.files import discard
from alo.layout import Workspace
from alo.review.records import RunFiles, joined_tables, tables_of
from alo.review.settings import ReviewSettings

FOLDER = "joined"  # below .alo/
LARGE = 1 << 20  # bytes of tables, from which on it is worth a file
FEW = 1000  # rows: for more, the tables are read
_OWN = re.compile(r"[0-9a-f]{32}\.sqlite")
MOST_FILES = 50  # that are kept; what was made longest ago goes first


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
    workspace: Workspace, run: RunFiles, settings: ReviewSettings, rows: Sequence[int]
) -> dict[int, JoinedCase]:
    """The cases of these rows of a run's output.

    Raises:
        ReviewError: its output has no table, or that lacks a column that the settings name.
        OSError: a table cannot be read.
    """
    kept = _kept_file(workspace, run, settings) if len(rows) <= FEW else None
    found = _read(kept, rows) if kept is not None else None
    if found is None:
        columns, cases = _joined(run, settings)
        if kept is not None:
            with suppress(OSError, sqlite3.Error):  # it is read without it, too
                _keep(kept, columns, cases)
        found = {row: cases[row] for row in rows if row < len(cases)}
    gone = JoinedCase(why="its row is gone from the output")
    return {row: found.get(row, gone) for row in rows}


def _joined(run: RunFiles, settings: ReviewSettings) -> tuple[Sequence[str], list[JoinedCase]]:
    output, cases = joined_tables(run, settings, [])
    columns = tuple(cases.columns)
    at = list(output.columns).index(settings.key) if settings.key else -1
    found: list[JoinedCase] = []
    for number, row in enumerate(output.rows):
        joined = cases.of(number, row)
        table, place = cases.place_of(joined)
        key = row[at] if 0 <= at < len(row) else ""
        if joined.why:
            found.append(JoinedCase(values=[], table=table, row=place, key=key, why=joined.why))
            continue
        values, picture = joined.values, ""
        if len(values) != len(columns):
            values = [*values, *[""] * (len(columns) - len(values))][: len(columns)]
        if joined.picture and run.input:
            picture = joined.picture.relative_to(run.input).as_posix()
        found.append(JoinedCase(columns, values, picture, table, place, key))
    return columns, found


def _kept_file(workspace: Workspace, run: RunFiles, settings: ReviewSettings) -> Path | None:
    """Where what was joined is; None: the tables are too small for that."""
    how = (settings.key, settings.image, settings.prediction, settings.certainty,
           sorted(settings.probabilities.values()))  # fmt: skip
    digest, size = blake2b(repr((run.id, how)).encode(), digest_size=16), 0
    for path in tables_of(run):
        status = path.stat()
        size += status.st_size
        digest.update(repr((str(path), status.st_size, status.st_mtime_ns)).encode())
    name = f"{digest.hexdigest()}.sqlite"
    return workspace.internal / FOLDER / name if size >= LARGE else None


def _read(kept: Path, rows: Sequence[int]) -> dict[int, JoinedCase] | None:
    """What was kept of these rows; None: there is nothing."""
    if not kept.is_file():
        return None
    with suppress(sqlite3.Error, ValueError, TypeError):
        with closing(sqlite3.connect(f"{kept.as_uri()}?mode=ro", uri=True)) as database:
            columns = tuple(json.loads(database.execute("SELECT said FROM columns").fetchone()[0]))
            marks = ", ".join("?" * len(rows))
            found = database.execute(
                f"SELECT at, said FROM cases WHERE at IN ({marks})",  # noqa: S608 - marks alone
                list(rows),
            ).fetchall()
        return {at: _case(columns, *json.loads(said)) for at, said in found}
    return None


def _case(columns: Sequence[str], values: list[str], *rest: object) -> JoinedCase:
    case = JoinedCase((), values, *rest)  # type: ignore[arg-type]
    return case if case.why else case._replace(columns=columns)


def _keep(kept: Path, columns: Sequence[str], cases: Sequence[JoinedCase]) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    new = kept.with_name(f".{kept.name}.{os.urandom(6).hex()}")
    try:
        with closing(sqlite3.connect(new)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            database.execute("CREATE TABLE columns (said TEXT)")
            database.execute("CREATE TABLE cases (at INTEGER PRIMARY KEY, said TEXT)")
            database.execute("INSERT INTO columns VALUES (?)", (json.dumps(columns),))
            database.executemany("INSERT INTO cases VALUES (?, ?)", _lines(cases))
            database.commit()
        os.replace(new, kept)
    except BaseException:
        discard(new)
        raise
    for path in _oldest(kept.parent)[:-MOST_FILES]:
        path.unlink(missing_ok=True)


def _lines(cases: Sequence[JoinedCase]) -> Iterator[tuple[int, str]]:
    return ((at, json.dumps(case[1:])) for at, case in enumerate(cases))


def _oldest(folder: Path) -> list[Path]:
    """The files that are kept: whatever else is in the folder is none of ours to remove."""
    own = [path for path in folder.iterdir() if _OWN.fullmatch(path.name) and path.is_file()]
    return sorted(own, key=lambda path: path.stat().st_mtime_ns)
