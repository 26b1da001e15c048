"""``/events``: the events of a run, a review, of jobs or the feed, as they happen (server-sent).

Each has its place as id, so that a browser that was cut off continues where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from alo.errors import UsageError
from alo.events.stored import StoredEvent, StoredEvents
from alo.history.follow import Run, events_file
from alo.history.in_use import unfinished_record
from alo.json_text import json_bytes
from alo.review.reviews import Reviews
from alo.ui.ask import Ask
from alo.ui.live import reviews
from alo.ui.problems import UiError, refused_value
from alo.ui.rendering.page import Stream
from alo.ui.studio import Studio

REVIEW = "review:"  # before the name of one
LOOK_S = 0.1
ALIVE_S = 15.0  # after so long without an event a comment is sent, which shows that one listens
PIECE = 200  # events that are sent at once


def show(ask: Ask) -> Stream:
    """The stream that the URL asks for.

    Raises:
        UiError: 404: no such run; 422: no such stream.
    """
    ask.query.allow("run", "after")
    name = ask.query.one("run")
    since = _since(ask.last_event or ask.query.one("after"))
    if name in ("jobs", "feed"):
        return Stream(_changes(ask.studio, name))
    if not name:
        raise refused_value("run", "name a run, review:NAME, jobs or feed")
    if name.startswith(REVIEW):
        return Stream(_review(ask, name.removeprefix(REVIEW), since))
    return Stream(_run(ask.studio, name, since))


def _since(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise refused_value("Last-Event-ID", "it has to be the sequence of an event")
    return int(text) + 1


def _review(ask: Ask, name: str, since: int) -> AsyncIterator[bytes]:
    try:
        Reviews(ask.studio.database).get(name)
    except UsageError as error:
        raise UiError(404, error.what) from error
    return reviews.events(ask.studio, name, ask.who.name, since)


def _run(studio: Studio, run_id: str, since: int) -> AsyncIterator[bytes]:
    from alo.errors import HistoryError

    try:
        record = studio.history.look_up(run_id)
    except HistoryError as error:
        raise UiError(404, error.what) from error
    return _events_of(studio, Run(record.id, record.pipeline), since)


async def _events_of(studio: Studio, run: Run, since: int) -> AsyncIterator[bytes]:
    """The events of a run from one on; ends with its last, or when it was killed."""
    reader = _Reader(studio, run, since)
    silent = 0.0
    try:
        while True:
            piece = await run_in_threadpool(reader.next)
            for each in piece:
                yield _message(each.sequence, each.name, each.line)
                if each.is_last:
                    return
            if piece:
                silent = 0.0
                continue
            if await run_in_threadpool(reader.is_over):
                yield b"event: over\ndata: {}\n\n"
                return
            await asyncio.sleep(LOOK_S)
            silent += LOOK_S
            if silent > ALIVE_S:
                silent = 0.0
                yield b": alive\n\n"
    finally:
        reader.close()


class _Reader:
    """Reads the events of a run, wherever they are by now."""

    def __init__(self, studio: Studio, run: Run, since: int) -> None:
        self._studio, self._run, self._since = studio, run, since
        self._path: Path | None = None
        self._events: StoredEvents | None = None
        self._waiting: Iterator[StoredEvent] = iter(())
        self._looks = 0

    def next(self) -> list[StoredEvent]:
        """What has come, at most a piece of it."""
        found: list[StoredEvent] = []
        if self._events is None and not self._open():
            return found
        assert self._events is not None  # noqa: S101 - opened above
        for each in self._events.new():
            if isinstance(each, StoredEvent) and each.sequence >= self._since:
                found.append(each)
                self._since = each.sequence + 1
                if len(found) >= PIECE:
                    break
        return found

    def is_over(self) -> bool:
        """Whether nothing more can come: the run was killed, or its events were moved."""
        self._looks += 1
        if self._looks % 10:
            return False
        path = events_file(self._studio.workspace, self._run)
        if path is not None and path != self._path:  # it is in history by now
            self.close()
            return False
        record = unfinished_record(self._studio.workspace)
        return record is None or record.id != self._run.id or record.status != "running"

    def close(self) -> None:
        """Close the file."""
        if self._events is not None:
            self._events.close()
        self._events = None

    def _open(self) -> bool:
        self._path = events_file(self._studio.workspace, self._run)
        if self._path is None:
            return False
        try:
            self._events = StoredEvents(self._path, self._since)
        except OSError:
            return False
        return True


async def _changes(studio: Studio, name: str) -> AsyncIterator[bytes]:
    """That there are other jobs, or newer requests, than before; the page asks for them then."""
    known, sequence, silent = None, 0, 0.0
    while True:
        now = await run_in_threadpool(_state, studio, name)
        if now != known:
            if known is not None:
                sequence += 1
            yield _message(sequence, name, json_bytes(now))
            known, silent = now, 0.0
        await asyncio.sleep(5 * LOOK_S)
        silent += 5 * LOOK_S
        if silent > ALIVE_S:
            silent = 0.0
            yield b": alive\n\n"


def _state(studio: Studio, name: str) -> object:
    if name == "jobs":
        return [each.to_json() for each in studio.jobs.open()]
    from alo.history.filters import Filters
    from alo.history.index.pages import Wanted, page_in

    page = studio.index.ask(lambda runs: page_in(runs, Wanted(Filters("inference")), limit=1))
    return {"total": page.total, "newest": [line.id for line in page.lines]}


def _message(sequence: int, name: str, line: bytes) -> bytes:
    data = line.rstrip(b"\n").replace(b"\r", b"").replace(b"\n", b"\ndata: ")
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (sequence, name.encode(), data)
