"""What the inference pipeline is given: names and types of its columns, or the kinds of its files.

Looked up where the last inference, or who wrote the plan, has left it. Values are never shown: they
may be a person's.
"""

from __future__ import annotations

import csv
import os
import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from alo.data.location import is_remote
from alo.errors import AloError
from alo.history.entries.names import entry_folder
from alo.history.entries.save import INPUT
from alo.history.recent_runs import recent_runs
from alo.layout import Workspace
from alo.plan.load import load_plan
from alo.plan.model import Plan
from alo.tables.encodings import encoding_of
from alo.texts import is_odd

TABLE, FILES, NONE = "table", "files", "none"
SMOKE = "solution/smoke"  # the data of a request that a new model has to answer
MOST_FILES = 1000  # that are looked at
MOST_ROWS = 100
MOST_BYTES = 1 << 20  # of a table
MOST_COLUMNS = 10_000
UNREADABLE = "\ufffd"  # in the place of bytes that are no character
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")  # an id such as 00501 is none
NUMBER = re.compile(r"-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
MADE_UP: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True, "string": "text"}


class Column(NamedTuple):
    """A column of the input's table."""

    name: str
    type: str  # integer, number, boolean or string: the words of JSON Schema

    @property
    def example(self) -> Any:
        """A value of its type, made up."""
        return MADE_UP[self.type]


class KnownInput(NamedTuple):
    """What is known of the input."""

    kind: str = NONE  # table, files or none
    columns: Sequence[Column] = ()
    suffixes: Sequence[str] = ()  # of files, the most frequent first

    def to_json(self) -> dict[str, object]:
        """As the pages have it."""
        columns = [each._asdict() for each in self.columns]
        return {"kind": self.kind, "columns": columns, "suffixes": list(self.suffixes)}


def known_input(workspace: Workspace, plan: Plan) -> KnownInput:
    """The input of the last inference; before there was one, that which the plan names."""
    for place in _places(workspace, plan):
        found = _of(_files(place))
        if found.kind != NONE:
            return found
    return KnownInput()


def _places(workspace: Workspace, plan: Plan) -> Iterator[Path]:
    yield workspace.input("inference")
    for kind, run_id in recent_runs(workspace):  # what was staged may have been removed since
        if kind == "inference":
            yield entry_folder(workspace, kind, run_id) / INPUT
    yield workspace.home / SMOKE
    try:  # a service's own plan has no places of data: requests bring theirs
        external = load_plan(plan.path, home=workspace.home).external
    except (AloError, OSError):
        return
    for path in external.load_inference_data_path:
        if not is_remote(path):
            yield workspace.home / path


def _files(place: Path) -> list[Path]:
    """The regular files at a place, in the order of their names; of very many, some."""
    found: list[Path] = []
    if place.is_file():
        return [place]
    for folder, folders, names in os.walk(place):
        folders.sort()
        paths = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        ordinary = (path for path in paths if path.is_file() and not path.is_symlink())
        found += islice(ordinary, MOST_FILES - len(found))
        if len(found) == MOST_FILES:
            break
    return found


def _of(files: Sequence[Path]) -> KnownInput:
    tables = [path for path in files if path.suffix.lower() == ".csv"]
    if tables and 2 * len(tables) >= len(files):
        for path in tables:
            if columns := columns_of(path):
                return KnownInput(TABLE, columns)
    counted = Counter(path.suffix.lower() for path in files)
    if not counted:
        return KnownInput()
    return KnownInput(FILES, (), [suffix for suffix, _ in counted.most_common(5) if suffix])


def columns_of(path: Path) -> Sequence[Column]:
    """The columns of a table, by its first rows; none where it is no table with a header."""
    try:
        encoding = encoding_of(path)
        with open(path, "rb") as file:
            file.seek(encoding.mark)
            start = file.read(MOST_BYTES)
            is_whole = not file.read(1)
    except OSError:
        return ()
    text = getincrementaldecoder(encoding.name)("replace").decode(start, final=is_whole)
    if not is_whole:  # the last line may be cut
        text = text.rpartition("\n")[0]
    rows = _rows(text)
    header = rows[0] if rows else []
    names = list(dict.fromkeys(header))
    if not _are_names(names) or len(names) > MOST_COLUMNS:
        return ()
    places = [header.index(name) for name in names]
    return [
        Column(name, type_of([row[at] for row in rows[1:] if at < len(row)]))
        for name, at in zip(names, places, strict=True)
    ]


def _are_names(cells: Sequence[str]) -> bool:
    """Whether these are names of columns, and not a first row: numbers are names if they count."""
    if any(is_odd(cell) or UNREADABLE in cell for cell in cells):
        return False
    counted = [str(number) for number in range(len(cells))]
    return list(cells) == counted or not all(map(NUMBER.fullmatch, cells))


def type_of(cells: Sequence[str]) -> str:
    """The type that all cells of a column have; string where there is any doubt.

    Empty cells say nothing, and neither does NaN among numbers.
    """
    filled = [cell for cell in cells if cell]
    numbers = [cell for cell in filled if cell.lower() != "nan"]
    if filled and all(cell.lower() in ("true", "false") for cell in filled):
        return "boolean"
    if numbers and all(WHOLE.fullmatch(cell) for cell in numbers):
        return "integer" if len(numbers) == len(cells) else "number"
    if numbers and all(map(NUMBER.fullmatch, numbers)):
        return "number"
    return "string"


def _rows(text: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), strict=True):
            if row:
                rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error:  # of a row: those before it are read
        pass
    return rows
