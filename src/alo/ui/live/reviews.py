"""What happens in a review, as one person may see it: decisions by their numbers, and who is where.

A decision has its number as id, so that a browser that was cut off misses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from alo.database.connection import Database
from alo.errors import UsageError
from alo.json_text import json_bytes
from alo.review.decisions import UNDECIDED
from alo.review.reviews import Reviews, shown
from alo.review.rows import Review, decisions_at, records_at
from alo.ui.studio import Studio

LOOK_S = 0.25
ALIVE_S = 15.0
PIECE = 200  # decisions that are sent at once


class Happened(NamedTuple):
    """One decision, with what its record has come to by now."""

    number: int
    content: dict[str, object]


async def events(studio: Studio, name: str, person: str, since: int) -> AsyncIterator[bytes]:
    """The decisions of a review from a number on, and who looks at what, until one listens no more.

    Args:
        person: who listens; what another said first is not shown to who looks second.
    """
    known: Mapping[str, object] = {}
    silent = 0.0
    while True:
        try:
            found, now = await run_in_threadpool(_look, studio, name, person, since, known)
        except UsageError:  # it was removed
            yield b"event: over\ndata: {}\n\n"
            return
        for each in found:
            content = json_bytes(each.content)
            yield b"id: %d\nevent: decision\ndata: %s\n\n" % (each.number, content)
            since = each.number + 1
        if now != known:
            yield b"event: review\ndata: %s\n\n" % json_bytes(now)
        elif not found:
            silent += LOOK_S
        known = now
        if silent > ALIVE_S:
            silent = 0.0
            yield b": alive\n\n"
        if len(found) < PIECE:
            await asyncio.sleep(LOOK_S)


def newest_decision(database: Database, review: Review) -> int:
    """The number of the last decision of a review; 0: there is none."""
    found = database.read("SELECT max(number) FROM decisions WHERE review = ?", (review.number,))
    return int(found[0][0] or 0)


def _look(
    studio: Studio, name: str, person: str, since: int, known: Mapping[str, object]
) -> tuple[Sequence[Happened], Mapping[str, object]]:
    review = studio.reviews.get(name)
    found = studio.database.read(
        "SELECT number, at FROM decisions WHERE review = ? AND number >= ? ORDER BY number LIMIT ?",
        (review.number, since, PIECE),
    )
    places = {int(at) for _, at in found}
    records = records_at(studio.database.read, review.number, places)
    said = decisions_at(studio.database.read, review.number, places)
    happened = [
        Happened(int(number), shown(review, records[int(at)], said[int(at)], person).to_json())
        for number, at in found
    ]
    present = studio.presence.of(review.number).items()
    now: dict[str, object] = {
        "state": review.state,
        "labels": [each.to_json() for each in review.labels.shown],
        "progress": progress(studio.reviews, review) if found or not known else known["progress"],
        "present": [{"name": who, "record": record} for who, record in present if who != person],
    }
    return happened, now


def progress(reviews: Reviews, review: Review) -> dict[str, int]:
    """How many records of the queue are decided, of how many."""
    states = reviews.states(review)
    total = sum(states.values())
    return {"decided": total - states.get(UNDECIDED, 0), "total": total}
