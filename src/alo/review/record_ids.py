"""How a record is called: ``RUN:ROW``, its row in the output from 0; a whole run: by its id."""

from __future__ import annotations

from alo.texts import is_whole_number


def record_id(run_id: str, row: int) -> str:
    """The id of the record that is this row of a run's output."""
    return f"{run_id}:{row}"


def run_and_row(record: str) -> tuple[str, int] | None:
    """The run and the row of a record; None: it is called as no row is."""
    run_id, colon, row = record.rpartition(":")
    return (run_id, int(row)) if colon and is_whole_number(row) else None


def run_in(record: str) -> str:
    """The run of a record, which may be a whole run."""
    return record.rpartition(":")[0] or record


def row_in(record: str) -> int:
    """The row of a record that is no whole run."""
    return int(record.rpartition(":")[2])
