"""The tables, as numbered migrations: each is applied once, in a transaction of its own.

A migration that was released is never changed; a change of the tables is a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

# {serial}: a number that the database counts up by itself
MIGRATIONS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE people (name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL,"
        " is_disabled BIGINT NOT NULL, created TEXT NOT NULL)",
        "CREATE TABLE sessions (hash TEXT PRIMARY KEY, person TEXT NOT NULL, role TEXT NOT NULL,"
        " expires TEXT NOT NULL)",
        "CREATE INDEX sessions_by_person ON sessions (person)",
        "CREATE TABLE tokens (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE,"
        " role TEXT NOT NULL, person TEXT NOT NULL, created TEXT NOT NULL)",
        "CREATE TABLE jobs (number {serial}, id TEXT NOT NULL UNIQUE, key TEXT UNIQUE,"
        " state TEXT NOT NULL, command TEXT NOT NULL, pipeline TEXT NOT NULL,"
        " person TEXT NOT NULL, queued TEXT NOT NULL, started TEXT NOT NULL,"
        " ended TEXT NOT NULL, exit_status BIGINT, run TEXT NOT NULL)",
        "CREATE INDEX jobs_by_state ON jobs (state)",
        "CREATE TABLE audit (number {serial}, time TEXT NOT NULL, person TEXT NOT NULL,"
        " act TEXT NOT NULL, target TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL)",
    ),
)
