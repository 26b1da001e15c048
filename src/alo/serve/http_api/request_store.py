"""Requests that a client comes back for, in a SQLite file: they outlive the service.

What was queued or running when a service ended is queued again by the next; a request that was
running twice is given up. Services of one project share the file: each request has its owner.
"""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from alo.errors import ServeError
from alo.json_text import json_value
from alo.mounts import mount_of
from alo.workers.protocol import ASSET_RUN, Failure
from alo.workers.state_machine import MOST_TRIES
from alo.workers.ticket import Result

SCHEMA = """
CREATE TABLE IF NOT EXISTS accepted (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    status TEXT NOT NULL,
    args TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    result TEXT
)
"""


class StoredRequest(NamedTuple):
    """One of them."""

    id: str
    status: str  # queued, running, success or fail
    args: Mapping[str, Mapping[str, object]]
    result: Result | None


class RequestStore:
    """All of them, in one file; for any thread.

    Args:
        owner: this service, by a name that no other has.
        lives: whether the service of a name still runs.
    Raises:
        ServeError: the file cannot be used, or made.
    """

    def __init__(self, path: Path, owner: str, lives: Callable[[str], bool]) -> None:
        self._path, self._lock = path, threading.Lock()
        self._owner, self._lives = owner, lives
        self._own: set[str] = set()  # that this object has given to someone to be served
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _opened(path)
        except (OSError, sqlite3.Error) as error:
            raise ServeError(
                f"the requests that were accepted cannot be read: {error}",
                where=str(path),
                fix="see to the disk; or move the file away, and with it the requests in it",
            ) from error

    def add(self, request_id: str, args: Mapping[str, Mapping[str, object]]) -> None:
        """A request is accepted.

        Raises:
            OSError: it cannot be noted.
        """
        self._own.add(request_id)  # first, or it might be taken up as well
        values = request_id, self._owner, json.dumps(args), time.time()
        try:
            self._run(
                "INSERT INTO accepted (id, owner, status, args, created)"
                " VALUES (?, ?, 'queued', ?, ?)",
                values,
            )
        except OSError:
            self._own.discard(request_id)
            raise

    def begin(self, request_id: str) -> None:
        """A worker has it in hand."""
        self._run(
            "UPDATE accepted SET status = 'running', tries = tries + 1 WHERE id = ?", (request_id,)
        )

    def end(self, result: Result) -> None:
        """It is done."""
        self._run(
            "UPDATE accepted SET status = ?, result = ? WHERE id = ?",
            (result.status, _to_text(result), result.id),
        )
        self._own.discard(result.id)

    def find(self, request_id: str) -> StoredRequest | None:
        """The request of this id; None if it was never accepted or is forgotten by now."""
        rows = self._run(
            "SELECT id, status, args, result FROM accepted WHERE id = ?", (request_id,)
        )
        return _stored(rows[0]) if rows else None

    def take_up(self) -> list[StoredRequest]:
        """What services that have ended had accepted and not finished, the oldest first.

        Each request is given once. What was begun too often is ended as a failure.

        Raises:
            OSError: it cannot be noted that they are ours now.
        """
        owners = self._run(
            "SELECT DISTINCT owner FROM accepted WHERE status IN ('queued', 'running')"
        )
        for owner in (str(owner) for (owner,) in owners):
            if owner != self._owner and not self._lives(owner):
                self._run("UPDATE accepted SET owner = ? WHERE owner = ?", (self._owner, owner))
        rows = self._run(
            "SELECT id, status, args, result, tries FROM accepted"
            " WHERE owner = ? AND status IN ('queued', 'running') ORDER BY rowid",
            (self._owner,),
        )
        left = []
        for *row, tries in rows:
            request = _stored(tuple(row))
            if request.id in self._own:
                continue
            if request.status == "running" and int(str(tries)) >= MOST_TRIES:
                comment = "its worker died each time it was tried"
                failure = Failure(*ASSET_RUN, comment, kind="died")
                self.end(Result(request.id, None, (), failure, 0.0))
            else:
                self._own.add(request.id)
                left.append(request)
        return left

    def forget(self, request_id: str) -> None:
        """It was not accepted after all."""
        self._run("DELETE FROM accepted WHERE id = ?", (request_id,))

    def forget_oldest(self, keep: int, keep_bytes: int) -> list[str]:
        """Forget all but the newest that are done; returns the ids of those that went.

        Args:
            keep: so many requests.
            keep_bytes: of their output files.
        """
        rows = self._run(
            "SELECT id FROM (SELECT id, row_number() OVER newest AS number,"
            " sum(coalesce(json_extract(result, '$.size'), 0)) OVER newest AS size"
            " FROM accepted WHERE status IN ('success', 'fail')"
            " WINDOW newest AS (ORDER BY rowid DESC)) WHERE number > ? OR size > ?",
            (keep, keep_bytes),
        )
        ids = [str(row[0]) for row in rows]
        for request_id in ids:
            self.forget(request_id)
        return ids

    def close(self) -> None:
        """Close the file, once no thread uses it."""
        with self._lock:
            self._db.close()

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        try:
            with self._lock:
                if not self._path.exists():  # .alo/ was deleted while the service runs
                    self._path.parent.mkdir(parents=True, exist_ok=True)
                    self._db.close()
                    self._db = _opened(self._path)
                return self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            number = errno.ENOSPC if "full" in str(error) else errno.EIO
            raise OSError(number, str(error), str(self._path)) from error


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA busy_timeout=10000")
        # A write-ahead log needs memory that is shared, which two machines do not have.
        mode = "DELETE" if mount_of(path.parent).is_network else "WAL"
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute("PRAGMA synchronous=FULL")  # what was answered with 202 must be served
        database.execute(SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _to_text(result: Result) -> str:
    failure = asdict(result.failure) if result.failure else None
    return json.dumps({**result._asdict(), "failure": failure}, default=str)


def _stored(row: tuple[object, ...]) -> StoredRequest:
    request_id, status, args, text = row
    result = None
    if isinstance(text, str):
        content = json_value(text)
        failure = Failure(**content["failure"]) if content["failure"] else None
        result = Result(
            content["id"],
            content["summary"],
            tuple(content["outputs"]),
            failure,
            content["seconds"],
            content.get("size", 0),
        )
    return StoredRequest(str(request_id), str(status), json_value(str(args)), result)
