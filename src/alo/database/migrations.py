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
    (
        "CREATE TABLE reviews (number {serial}, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL,"
        " person TEXT NOT NULL, created TEXT NOT NULL, asked TEXT NOT NULL, runs TEXT NOT NULL,"
        " counts TEXT NOT NULL, labels TEXT NOT NULL)",
        "CREATE TABLE review_records (review BIGINT NOT NULL, at BIGINT NOT NULL,"
        " place BIGINT NOT NULL, content TEXT NOT NULL, predicted TEXT NOT NULL,"
        " certainty DOUBLE PRECISION, probabilities TEXT NOT NULL, source TEXT, stratum TEXT,"
        " weight DOUBLE PRECISION, uncertain_place BIGINT, is_second_look BIGINT NOT NULL,"
        " state TEXT NOT NULL, PRIMARY KEY (review, at))",
        "CREATE INDEX review_records_by_place ON review_records (review, place)",
        "CREATE TABLE decisions (number {serial}, review BIGINT NOT NULL, key TEXT NOT NULL,"
        " at BIGINT NOT NULL, verdict TEXT NOT NULL, label TEXT, note TEXT NOT NULL,"
        " person TEXT NOT NULL, time TEXT NOT NULL, look BIGINT NOT NULL, action TEXT NOT NULL,"
        " UNIQUE (review, person, key))",
        "CREATE INDEX decisions_by_record ON decisions (review, at)",
        "CREATE TABLE review_actions (number {serial}, review BIGINT NOT NULL,"
        " action TEXT NOT NULL, person TEXT NOT NULL, undoes TEXT NOT NULL)",
        "CREATE INDEX review_actions_by_person ON review_actions (review, person)",
    ),
    (
        # What decisions come to, where a filter or a count looks for it.
        "ALTER TABLE review_records ADD COLUMN label TEXT",
        "UPDATE review_records SET label = (SELECT decisions.label FROM decisions"
        " WHERE decisions.review = review_records.review AND decisions.at = review_records.at"
        " AND decisions.look <> 2 AND decisions.verdict <> 'reset'"
        " ORDER BY decisions.look DESC, decisions.number DESC LIMIT 1)"
        " WHERE state IN ('accepted', 'changed')",
        "CREATE INDEX review_records_by_state ON review_records (review, source, state, label)"
        " WHERE source IS NOT NULL",  # of the queue alone: a population is large
    ),
    ("ALTER TABLE jobs ADD COLUMN made TEXT NOT NULL DEFAULT ''",),
)
