"""A process of its own in which DuckDB finds the rows of a table in another order.

It reads a job as JSON at its standard input (:class:`alo.ui.readers.orders.OrderJob`), writes the
numbers of the rows, or the values of a column, and ends with ``DISAGREES`` where DuckDB sees
another table than we do.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DISAGREES = 3
FIRST = 10**11  # is added to the number of a row, so that each line is as long as any other
MOST_VALUES = 50
MEMORY, DEFAULT_MEMORY = 0.5, 0.8  # shares of the memory: ours, and DuckDB's own
LONGEST_LINE = 1 << 25


def main() -> None:
    """Do the job."""
    import duckdb

    job = json.load(sys.stdin)
    try:
        with duckdb.connect(config=_settings(job)) as connection:
            _limit_memory(connection)
            _load(connection, job)
            counted = connection.execute("SELECT count(*) FROM k").fetchone()
            if counted is None or counted[0] != job["total"]:
                sys.exit(DISAGREES)
            _write(connection, job)
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        sys.exit(DISAGREES)


def _settings(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "temp_directory": job["temporary"],
        "threads": os.cpu_count() or 1,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def _limit_memory(connection: DuckDBPyConnection) -> None:
    """To half of what there is, of which it would take 80 %; the rest it keeps on the disk.

    It knows of a container's limits. Not every version takes a share.
    """
    ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    size, unit = str(limit).split()
    connection.execute(f"SET memory_limit = '{float(size) * MEMORY / DEFAULT_MEMORY:.3f} {unit}'")


def _load(connection: DuckDBPyConnection, job: dict[str, Any]) -> None:
    """The columns that are needed, as a table whose row ids are the numbers of rows."""
    types = {f"c{at}": "VARCHAR" for at in range(job["columns"])}
    needed = [f"coalesce(c{at}, '') AS c{at}" for at in job["kept"]]
    if (at := job["sort"]) is not None:  # numbers take less room than their texts
        number = f"TRY_CAST(c{at} AS DOUBLE)"
        needed += [
            f"{number} AS n",
            f"CASE WHEN {number} IS NULL THEN coalesce(c{at}, '') END AS t",
        ]
    connection.execute(
        f"CREATE TEMP TABLE k AS SELECT {', '.join(needed)}"  # noqa: S608
        " FROM read_csv(?, columns=?, delim=?, quote='\"', escape='\"', header=true,"
        " auto_detect=false, max_line_size=?)",
        [job["source"], types, job["delimiter"], LONGEST_LINE],
    )


def _write(connection: DuckDBPyConnection, job: dict[str, Any]) -> None:
    where = _where(connection, job["filters"])
    if job["values"] is not None:
        column = f"c{job['values']}"
        query = f"SELECT {column}, count(*) FROM k {where} GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608
        found = connection.execute(query).fetchmany(MOST_VALUES)
        with open(job["target"], "w", encoding="utf-8") as file:
            json.dump(found, file)
        return
    order = "rowid" if job["sort"] is None else _order(connection, job["descending"])
    connection.execute(
        f"COPY (SELECT r + {FIRST} FROM"  # noqa: S608
        f" (SELECT rowid AS r FROM k {where} ORDER BY {order}))"
        " TO '" + job["target"].replace("'", "''") + "' (FORMAT csv, HEADER false)"
    )


def _where(connection: DuckDBPyConnection, filters: list[tuple[int, str]]) -> str:
    """Cells that are a text; where none is, those that have it in them."""
    found = []
    for at, text in filters:
        value = "'" + text.replace("'", "''") + "'"
        same = f"c{at} = {value}"
        is_there = connection.execute(f"SELECT 1 FROM k WHERE {same} LIMIT 1").fetchone()  # noqa: S608
        found.append(same if is_there else f"contains(lower(c{at}), lower({value}))")
    return f"WHERE {' AND '.join(found)}" if found else ""


def _order(connection: DuckDBPyConnection, descending: bool) -> str:
    """Numbers by their value, before texts; cells without anything last."""
    has_texts = connection.execute("SELECT 1 FROM k WHERE t <> '' LIMIT 1").fetchone()
    direction = "DESC" if descending else "ASC"
    order = f"n {direction} NULLS LAST"
    if has_texts:
        order += f", t = '', t {direction}"
    return f"{order}, rowid"


if __name__ == "__main__":
    main()
