"""Tables as text: the CSV that an asset has written, as columns of a type.

A cell is a number only where it is how Python, pandas and NumPy write that number, so that writing
it again gives the same text: an id such as ``00501`` or ``2024_01`` never changes.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Cell: TypeAlias = "int | float | bool | str | None"

LONGEST_CELL = 2**31 - 1  # the csv module's own limit is 128 KiB
INT64 = range(-(2**63), 2**63)
EXACT = range(-(2**53), 2**53 + 1)  # whole numbers that a 64-bit float has as they are
SCIENTIFIC = re.compile(r"-?[1-9](\.[0-9]*[1-9])?e[+-]([0-9]|[1-9][0-9])[0-9]")
MISSING = frozenset({"", "nan", "NaN"})
BOOLS = {"True": True, "False": False}


class TableError(ValueError):
    """What a file holds is no table, or one whose values are not certain."""


class Column(NamedTuple):
    """A column, with its type in the words of the Open Inference Protocol."""

    name: str
    datatype: str  # INT64, FP64, BOOL or BYTES
    values: Sequence[Any]


def read_table(path: Path) -> list[Column]:
    """The columns of a CSV file; none where it is empty.

    Raises:
        TableError: with the line, and what to do.
        OSError: it cannot be read.
    """
    rows = _rows(_text(path), path.name)
    header = next(rows, [])
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise TableError(f"{path.name}: two columns are named '{twice[0][:50]}'")
    cells = list(rows)
    return [typed(name, [row[at] for row in cells]) for at, name in enumerate(header)]


def typed(name: str, texts: Sequence[str]) -> Column:
    """A column with the narrowest type that changes no cell.

    An empty cell or NaN among numbers is None, of FP64: INT64 has no such value, nor has BOOL.
    """
    values = [cell_of(text) for text in texts]
    kinds = {type(value) for value in values}
    if kinds == {int} and all(value in INT64 for value in values):
        return Column(name, "INT64", values)
    if kinds == {bool}:
        return Column(name, "BOOL", values)
    are_numbers = kinds & {int, float} and kinds <= {int, float, type(None)}
    if are_numbers and all(value in EXACT for value in values if type(value) is int):
        return Column(name, "FP64", values)
    return Column(name, "BYTES", list(texts))


def cell_of(text: str) -> Cell:
    """What the text of a cell is; itself where it is not how a number or a truth is written."""
    if text in MISSING:
        return None
    try:
        number = float(text)
    except ValueError:
        return BOOLS.get(text, text)
    if isfinite(number) and _writes(number, text):
        return number
    try:
        whole = int(text)
    except ValueError:
        return text
    return whole if str(whole) == text else text


def _writes(number: float, text: str) -> bool:
    """Whether Python, or NumPy (single precision, or ``savetxt``), writes the number like this."""
    if text == repr(number) or text == f"{number:.18e}":
        return True
    return SCIENTIFIC.fullmatch(text) is not None and Decimal(text) == Decimal(repr(number))


def _text(path: Path) -> str:
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8"
    try:
        text = content.removeprefix(BOM_UTF8).decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path.name} is not UTF-8 (byte {error.start}): write it with encoding='utf-8'"
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TableError(f"{path.name}:{line}: there is a NUL in it, which no table has")
    return text


def _rows(text: str, name: str) -> Iterator[list[str]]:
    """The rows, each with as many cells as the first one."""
    csv.field_size_limit(LONGEST_CELL)
    lines = csv.reader(StringIO(text, newline=""), strict=True)
    width, blank = 0, 0
    try:
        for row in lines:
            if not row:
                blank = blank or lines.line_num
                continue
            if blank and width == 1:
                raise TableError(
                    f'{name}:{blank}: the line is blank: write "" for a cell that is empty'
                )
            width, blank = width or len(row), 0
            if len(row) != width:
                raise TableError(
                    f"{name}:{lines.line_num}: the row has {len(row)} cells, the header {width}"
                )
            yield row
    except csv.Error as error:
        raise TableError(f"{name}:{lines.line_num}: {error}") from error
