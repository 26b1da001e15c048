"""The rows of a table sorted and filtered: their numbers, in a file in ``.alo/``.

DuckDB finds them in a process of its own. Where it reads another table than we do (what is odd in a
file is read differently by each program), it is given a copy of the columns as we read them.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from alo.errors import AloError
from alo.files import discard
from alo.ui.readers.order_main import DISAGREES, FIRST
from alo.ui.readers.tables import Table, Tables
from alolib.disk import reports_full

LINE = len(str(FIRST)) + 1  # bytes
LIMIT_S = 600
MOST_KEY = 10_000  # characters of a cell by which rows are sorted
WORKER = "alo.ui.readers.order_main"


class NoDuckDBError(AloError):
    """DuckDB is not installed."""


class OrderJob(NamedTuple):
    """What is asked of a table."""

    sort: int | None = None  # a column
    descending: bool = False
    filters: tuple[tuple[int, str], ...] = ()
    values: int | None = None  # a column whose values are counted

    def kept(self) -> list[int]:
        """The columns whose texts are looked at."""
        return sorted({at for at, _ in self.filters} | _some(self.values))

    def needed(self) -> list[int]:
        """The columns that are read."""
        return sorted({*self.kept()} | _some(self.sort))


class Order(NamedTuple):
    """The numbers of rows, in their order."""

    path: Path
    total: int

    def rows(self, first: int, count: int) -> list[int]:
        """Some of them."""
        with open(self.path, "rb") as file:
            file.seek(first * LINE)
            return [int(line) - FIRST for line in file.read(count * LINE).split()]


class Orders:
    """Of the tables of a project's runs; made one at a time.

    Args:
        tables: whose rows these are.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = Lock()

    def order(self, table: Table, job: OrderJob) -> Order:
        """The rows that a job asks for.

        Raises:
            AloError: DuckDB is not here, or has failed.
            OSError: there is no room for what it writes.
        """
        path = self._made(table, job, ".rows")
        return Order(path, path.stat().st_size // LINE)

    def values(self, table: Table, job: OrderJob) -> list[tuple[str, int]]:
        """The most frequent values of a column, and how many rows have each."""
        found = json.loads(self._made(table, job, ".values").read_bytes())
        return [(text, count) for text, count in found]

    def _made(self, table: Table, job: OrderJob, suffix: str) -> Path:
        target = self._tables.cache.path(table.path, repr(job), suffix)
        with self._lock:
            if target.exists():
                with suppress(OSError):
                    os.utime(target)  # what was used longest ago is removed first
                return target
            if find_spec("duckdb") is None:
                raise NoDuckDBError(
                    "sorting and filtering need DuckDB", fix="pip install 'open-alo[ui]'"
                )
            new = self._tables.cache.new(target)
            try:
                self._make(table, job, new)
                os.replace(new, target)
            finally:
                discard(new)
        self._tables.cache.sweep()
        return target

    def _make(self, table: Table, job: OrderJob, new: Path) -> None:
        index = self._tables.index(table, waits=True)
        task = {
            **job._asdict(),
            "kept": job.kept(),
            "source": str(table.source),
            "columns": len(table.columns),
            "delimiter": table.dialect.delimiter.decode(),
            "total": index.total if index else 0,
            "target": str(new),
            "temporary": f"{new}.tmp",
        }
        if _run(task):
            return
        copy = new.with_name(f"{new.name}.csv")
        try:
            self._copy(table, job.needed(), copy)
            task |= {"source": str(copy), "delimiter": ","}
            if not _run(task):
                raise AloError(f"DuckDB cannot read {table.path.name}")
        finally:
            discard(copy)

    def _copy(self, table: Table, needed: Sequence[int], copy: Path) -> None:
        """The needed columns as we read them; the others are empty."""
        wanted = set(needed)
        with open(copy, "w", encoding="utf-8", errors="replace", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(["" for _ in table.columns])
            for row in self._tables.every(table):
                cells = [
                    row[at][:MOST_KEY].replace("\0", "") if at in wanted and at < len(row) else ""
                    for at in range(len(table.columns))
                ]
                writer.writerow(cells)


def _some(column: int | None) -> set[int]:
    return set() if column is None else {column}


def _run(task: dict[str, object]) -> bool:
    """Have DuckDB do it; whether it sees the same table as we do."""
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", WORKER],
            input=json.dumps(task).encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=LIMIT_S,
            cwd=os.sep,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AloError(f"the table could not be sorted within {LIMIT_S} s") from error
    if done.returncode not in (0, DISAGREES):
        said = done.stderr.decode("utf-8", "replace")
        if reports_full(said):
            folder = os.path.dirname(str(task["target"]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder)
        last = said.strip().rpartition("\n")[2]
        raise AloError(f"the table could not be sorted: {last or done.returncode}")
    return done.returncode == 0
