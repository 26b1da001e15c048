"""What an HTTP service takes at the most; docs/guides/services/http-service.md has the table."""

from __future__ import annotations

import resource
from typing import NamedTuple

from alo.json_text import MOST_LEVELS
from alo.serve.http_api.refusal import RefusedError

RESERVED_DESCRIPTORS = 128  # of the process, for all that is no connection


class TableLimits(NamedTuple):
    """Of a table that comes in."""

    cells: int = 10_000_000
    columns: int = 10_000
    depth: int = MOST_LEVELS  # objects and lists in each other
    args_bytes: int = 1_000_000  # of the JSON text of the args that come with it

    def check_cells(self, count: int) -> None:
        """Raises ``RefusedError`` where there are too many."""
        if count > self.cells:
            what = f"the table has more than {self.cells} cells (--max-cells)"
            raise RefusedError(413, what, limit="cells")

    def check_columns(self, count: int) -> None:
        """Raises ``RefusedError`` where there are too many."""
        if count > self.columns:
            what = f"the table has more than {self.columns} columns (--max-columns)"
            raise RefusedError(413, what, limit="columns")

    def check_args(self, size: int) -> None:
        """Raises ``RefusedError`` where they are too large."""
        if size > self.args_bytes:
            what = f"'args' has more than {self.args_bytes / 1e3:,.0f} kB (--max-args)"
            raise RefusedError(413, what, limit="args")


class Limits(NamedTuple):
    """Each has an option of ``alo serve``; sizes are in bytes, times in seconds."""

    workers: int = 1
    queue: int = 100
    request_s: float | None = None
    boot_s: float = 60.0  # for a worker to be warm
    body_bytes: int = 100_000_000
    head_bytes: int = 64_000
    headers: int = 100
    head_s: float = 20.0  # from the first byte of a head to its last
    idle_body_s: float = 60.0  # without a byte of a body
    connections: int = 1000
    table: TableLimits = TableLimits()
    kept_bytes: int = 1_000_000_000  # of the outputs of requests that can still be asked for
    output_bytes: int = 1_000_000_000  # of one request

    @property
    def bodies_bytes(self) -> int:
        """Of all bodies together that are on their way."""
        return 2 * self.body_bytes


def most_connections(wanted: int) -> int:
    """As many connections as this process has descriptors for; their limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return max(1, most - RESERVED_DESCRIPTORS)
    return wanted
