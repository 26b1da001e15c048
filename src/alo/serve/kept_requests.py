"""Requests that a client comes back for, in a SQLite file: they outlive the service.

What was queued or running when a service ended is queued again by the next; a request that was
running twice is given up.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from alo.serve.core import MOST_TRIES
from alo.serve.messages import ASSET_RUN, Failure
from alo.serve.pool import Result

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    args TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    result TEXT
)
"""


class KeptRequest(NamedTuple):
    """One of them."""

    id: str
    status: str  # queued, running, success or fail
    args: Mapping[str, Mapping[str, object]]
    result: Result | None


class KeptRequests:
    """All of them, in one file; for any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # who was told 202 must be served
        self._db.execute("PRAGMA busy_timeout=10000")
        self._db.execute(SCHEMA)

    def add(self, request_id: str, args: Mapping[str, Mapping[str, object]]) -> None:
        """A request is accepted."""
        self._run(
            "INSERT INTO requests (id, status, args, created) VALUES (?, 'queued', ?, ?)",
            (request_id, json.dumps(args), time.time()),
        )

    def begin(self, request_id: str) -> None:
        """A worker has it in hand."""
        self._run(
            "UPDATE requests SET status = 'running', tries = tries + 1 WHERE id = ?", (request_id,)
        )

    def end(self, result: Result) -> None:
        """It is done."""
        self._run(
            "UPDATE requests SET status = ?, result = ? WHERE id = ?",
            (result.status, _to_text(result), result.id),
        )

    def find(self, request_id: str) -> KeptRequest | None:
        rows = self._run(
            "SELECT id, status, args, result FROM requests WHERE id = ?", (request_id,)
        )
        return _kept(rows[0]) if rows else None

    def take_up(self) -> list[KeptRequest]:
        """What an earlier service had accepted and not finished, the oldest first.

        What was begun too often is ended as a failure.
        """
        comment = "its worker died each time it was tried"
        rows = self._run(
            "SELECT id FROM requests WHERE status = 'running' AND tries >= ?", (MOST_TRIES,)
        )
        for (request_id,) in rows:
            failure = Failure(*ASSET_RUN, comment, kind="died")
            self.end(Result(str(request_id), None, (), failure, 0.0))
        self._run("UPDATE requests SET status = 'queued' WHERE status = 'running'")
        left = self._run(
            "SELECT id, status, args, result FROM requests WHERE status = 'queued' ORDER BY created"
        )
        return [_kept(row) for row in left]

    def forget_oldest(self, keep: int) -> list[str]:
        """Forget all but the newest that are done; returns the ids of those that went."""
        done = "status IN ('success', 'fail')"
        rows = self._run(
            f"SELECT id FROM requests WHERE {done} ORDER BY created DESC LIMIT -1 OFFSET ?",  # noqa: S608 - constant
            (keep,),
        )
        ids = [str(row[0]) for row in rows]
        for request_id in ids:
            self._run("DELETE FROM requests WHERE id = ?", (request_id,))
        return ids

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _to_text(result: Result) -> str:
    failure = result.failure._asdict() if result.failure else None
    return json.dumps({**result._asdict(), "failure": failure}, default=str)


def _kept(row: tuple[object, ...]) -> KeptRequest:
    request_id, status, args, text = row
    result = None
    if isinstance(text, str):
        content = json.loads(text)
        failure = Failure(**content["failure"]) if content["failure"] else None
        result = Result(
            content["id"],
            content["summary"],
            tuple(content["outputs"]),
            failure,
            content["seconds"],
        )
    return KeptRequest(str(request_id), str(status), json.loads(str(args)), result)
