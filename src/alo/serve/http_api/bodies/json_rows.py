"""Rows of a table out of JSON text, one at a time: the whole of it is never there as objects."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from json.decoder import WHITESPACE  # type: ignore[attr-defined]  # what JSON counts as such
from typing import Any, TextIO

from alo.serve.http_api.bodies.json_values import SUSPECT, check_number, make_decoder
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.texts import odd_text

BOM = "\ufeff"
LONG = 1_000_000  # characters that csv.writer would hold five times over
FORM = 'expected an object of the form {"rows": [{...}, ...], "args": {...}}'


def write_table(text: str, file: TextIO, limits: TableLimits) -> object:
    """Write the rows in ``{"rows": [...], "args": ...}`` as CSV; returns the args.

    Columns come in the order in which they come up. What a row does not have is an empty cell, as
    null is. Every other value is written so that reading it gives it back.

    Raises:
        RefusedError: it is something else, or more than the limits allow.
    """
    try:
        first = Table(limits)
        args = first.write(text, file)
        if first.has_grown:  # a later row has brought a column: now all are known
            file.seek(0)
            file.truncate()
            Table(limits, first.columns).write(text, file)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from error
    return args


class Table:
    """One pass over the text.

    Args:
        columns: that are known from an earlier one.
    """

    def __init__(self, limits: TableLimits, columns: tuple[str, ...] = ()) -> None:
        self._limits, self._names = limits, dict.fromkeys(columns)
        self._count, self._written = 0, len(columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns met so far, in the order of the text."""
        return tuple(self._names)

    @property
    def has_grown(self) -> bool:
        """Whether rows were written before all columns had come up."""
        return len(self._names) > self._written

    def write(self, text: str, file: TextIO) -> object:
        """Raises ``RefusedError``, or ``ValueError`` where it is not JSON."""
        args: object = {}
        is_suspect, rows_came = SUSPECT.search(text) is not None, False
        table = csv.writer(file)
        for key, value in _members(text, self._limits):
            if key == "args":
                args = value
            elif key == "rows" and isinstance(value, Iterator):
                rows_came = True
                for row, size in value:
                    self._check(row, is_suspect)
                    if not self._count:
                        self._written = len(self._names)
                        table.writerow(self._names)
                    self._count += 1
                    cells = [row.get(name) for name in self._names]
                    if size < LONG:
                        table.writerow(cells)
                    else:
                        _write_long(cells, file)
            elif key == "rows":
                raise RefusedError(422, "'rows' is not a list of objects, one for each row")
            else:
                raise RefusedError(400, FORM)
        if not rows_came or not self._count:
            raise RefusedError(422, "'rows' is not a list of objects, one for each row")
        if not self._names:
            raise RefusedError(422, "'rows' has no columns")
        if is_suspect:
            _refuse_odd(args)
        return args

    def _check(self, row: object, is_suspect: bool) -> None:
        if not isinstance(row, dict):
            raise RefusedError(422, "'rows' is not a list of objects, one for each row")
        if is_suspect:
            _refuse_odd(row)
        for name, value in row.items():
            if name not in self._names:
                self._add(name)
            if isinstance(value, float):
                check_number(value)
            elif isinstance(value, dict | list):
                what = "a value in 'rows' is an object or a list; a cell of a table holds one value"
                raise RefusedError(422, what)
        self._limits.check_cells((self._count + 1) * len(self._names))

    def _add(self, name: str) -> None:
        if not self._names and name.startswith(BOM):
            raise RefusedError(
                422, "a column's name begins with a byte order mark, which readers drop"
            )
        self._names[name] = None
        self._limits.check_columns(len(self._names))


def write_in_pieces(text: str, file: TextIO, *, in_quotes: bool = False) -> None:
    """Write a text that is long: in one piece it would be there twice more.

    Args:
        in_quotes: as it stands between the quotes of a cell.
    """
    for at in range(0, len(text), LONG):
        piece = text[at : at + LONG]
        file.write(piece.replace('"', '""') if in_quotes else piece)


def _write_long(cells: Sequence[object], file: TextIO) -> None:
    """A row of the table in which some cell may be long."""
    for at, cell in enumerate(cells):
        file.write("," if at else "")
        if isinstance(cell, str):
            file.write('"')
            write_in_pieces(cell, file, in_quotes=True)
            file.write('"')
        elif cell is not None:
            file.write(repr(cell))
    file.write("\r\n")


def _refuse_odd(content: object) -> None:
    odd = odd_text(content)
    if odd is not None:
        raise RefusedError(400, f"a text has a NUL or half a character in it: {odd}")


def _members(text: str, limits: TableLimits) -> Iterator[tuple[str, Any]]:
    """The keys and values of an object; of a list, an iterator over what is in it."""
    scanner = _Scanner(text)
    if not scanner.skips("{"):
        scanner.value()  # is it JSON at all?
        scanner.end()
        raise RefusedError(400, FORM)
    keys: set[str] = set()
    if not scanner.skips("}"):
        while True:
            key = scanner.key()
            if key in keys:
                raise ValueError(f"the key {ascii(key)[:50]} comes twice in one object")
            keys.add(key)
            if key == "rows" and scanner.skips("["):
                yield key, scanner.elements()
            else:
                start = scanner.at
                value = scanner.value()
                if key == "args":
                    limits.check_args(scanner.at - start)
                yield key, value
            if scanner.skips("}"):
                break
            scanner.expect(",")
    scanner.end()


class _Scanner:
    """A place in JSON text."""

    def __init__(self, text: str) -> None:
        self._text, self.at, self._decoder = text, 0, make_decoder()
        self._blank()

    def skips(self, mark: str) -> bool:
        """Whether this mark is next; it is passed then."""
        if not self._text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        self._blank()
        return True

    def expect(self, mark: str) -> None:
        if not self.skips(mark):
            raise json.JSONDecodeError(f"Expecting '{mark}' delimiter", self._text, self.at)

    def key(self) -> str:
        if not self._text.startswith('"', self.at):
            what = "Expecting property name enclosed in double quotes"
            raise json.JSONDecodeError(what, self._text, self.at)
        name = self.value()
        self.expect(":")
        return str(name)

    def value(self) -> Any:
        found, self.at = self._decoder.raw_decode(self._text, self.at)
        self._blank()
        return found

    def elements(self) -> Iterator[tuple[Any, int]]:
        """What is in a list whose bracket is passed, and of how many characters each is."""
        if self.skips("]"):
            return
        while True:
            start = self.at
            value = self.value()
            yield value, self.at - start
            if self.skips("]"):
                return
            self.expect(",")

    def end(self) -> None:
        if self.at != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, self.at)

    def _blank(self) -> None:
        self.at = WHITESPACE.match(self._text, self.at).end()
