"""What a screen gives back, and how it is sent: as HTML, as JSON, as a CSV table.

The same path with ``.json`` gives what the page shows as data, with ``.csv`` its list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from alo.ui.query import Query

NOTHING: Mapping[str, object] = {}


class Table(NamedTuple):
    """A list, for ``.csv``: all of it, not the page of it that is shown."""

    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Page:
    """A screen with what it shows."""

    screen: str  # ``data-screen`` of its ``<main>``
    title: str
    content: Mapping[str, object]  # what ``.json`` has; an iterator is a list there
    shown: Mapping[str, object] = field(default_factory=dict)  # for the template alone
    table: Table | None = None
    status: int = 200
    folder: str = ""  # of its template, where there is one for all screens of its kind: reviews/
    query: Query | None = None  # its own URL, where a form of it was sent to another path

    @property
    def template(self) -> str:
        """The template's path."""
        return f"{self.folder}{self.screen}.html"


@dataclass(frozen=True, slots=True)
class Redirect:
    """To another page, after something was changed."""

    to: str
    content: Mapping[str, object] = field(default_factory=dict)  # for who asked for JSON
    status: int = 303
    json_status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """A file of a run, as it is."""

    path: Path
    name: str
    media_type: str = "application/octet-stream"
    is_download: bool = False
    is_sandboxed: bool = False  # HTML and SVG: it may run, and reach nothing
    version: str = ""  # of what it has: a browser that has it already is sent 304; empty: unknown


@dataclass(frozen=True, slots=True)
class Download:
    """A file from another source, read piece by piece: to be saved, not shown."""

    name: str
    source: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class TableAnswer:
    """A table as a file to keep."""

    name: str
    table: Table


@dataclass(frozen=True, slots=True)
class Data:
    """What is for scripts alone: JSON, in whichever form it is asked for."""

    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stream:
    """Server-sent events, until there are no more or the other side has gone."""

    source: AsyncIterator[bytes]


Result = Page | Redirect | FileAnswer | Download | TableAnswer | Data | Stream
