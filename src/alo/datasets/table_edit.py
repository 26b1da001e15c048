"""A table with other labels and further rows: every cell that is not meant stays byte for byte."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from alo.errors import DatasetError
from alo.plan.suggest import listed
from alo.tables.encodings import UTF8, WIDE, Encoding, encoding_of
from alo.tables.reading import names_once
from alo.tables.records import Dialect, cells, dialect_of, raw_cells, records

_PART = 500  # rows: one that has to be quoted takes no more with it
ContentOf = Callable[[Sequence[str]], Callable[[Sequence[str]], str]]


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a table."""

    content: bytes
    old: Mapping[str, str]  # content id -> the label that the table had
    counts: Mapping[str, int]  # rows by label, as they are now
    overruled: int  # rows whose label is another now
    removed: int  # rows that test, and are learned from no more


@dataclass(slots=True)
class Tally:
    """What is counted while the train data of a version is made."""

    train: Counter[str] = field(default_factory=Counter)
    old: dict[str, str] = field(default_factory=dict)  # content id -> label of the base
    overruled: int = 0
    moved_to_test: int = 0  # rows of the base that test now
    pictures_missing: int = 0  # that a table of the base names

    def add(self, edited: Edited) -> None:
        """What became of one more table."""
        self.train.update(edited.counts)
        self.old |= edited.old
        self.overruled += edited.overruled
        self.moved_to_test += edited.removed


def replace_content(path: Path, content: bytes) -> None:
    """Write a file of a copied base anew: it can be as read-only as its base was."""
    path.unlink()
    path.write_bytes(content)


def edit_table(
    path: Path,
    label: str,
    labels: Mapping[str, str],
    removed: Collection[str],
    added: Mapping[str, Mapping[str, str]],
    content_of: ContentOf,
) -> Edited:
    """A table as a new version of a data set has it.

    Args:
        label: the name of the label's column.
        labels: content id -> label, of the rows that get another one.
        removed: content ids of rows that are left out.
        added: content id -> further rows, by column, label included; those that the table has
            are not added.
        content_of: makes, of the columns, what gives a row's content id.
    Raises:
        DatasetError: the table has no such column, or an added row lacks one.
    """
    encoding = encoding_of(path)
    if encoding.name in WIDE:
        raise DatasetError(
            f"{path.name} is in {encoding.name}", where=str(path), fix="save it as UTF-8"
        )
    dialect = dialect_of(path, encoding)
    editor = _Editor(path, dialect, label, labels, removed)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(0)
        editor.parts.append(file.read(encoding.mark))
        for record in records(file.fileno(), dialect, encoding.mark, size):
            length = record.end - record.at - len(record.content)
            end = b"\r\n" if length == 2 else dialect.line_end[:length]
            editor.take(record.content, end, content_of)
    return editor.finish(added)


class _Writer:
    """Writes texts as records of a table.

    Args:
        path: of the table, for its errors.
    """

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._path, self._dialect = path, dialect
        self.end = b"\n"  # of a line

    def line(self, texts: Sequence[str]) -> bytes:
        """Cells as a record."""
        if list(texts) == [""]:
            return b'""'  # an empty line is no row
        return self._dialect.delimiter.join(map(self.cell, texts))

    def lines(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Rows as records, each with the end of its line."""
        parts = [rows[first : first + _PART] for first in range(0, len(rows), _PART)]
        return b"".join(map(self._part, parts))

    def _part(self, rows: Sequence[Sequence[str]]) -> bytes:
        """The usual rows, in which nothing has to be quoted, are made all at once."""
        delimiter, name = self._dialect.delimiter.decode(), self._dialect.encoding.name
        joined = [delimiter.join(row) for row in rows]
        text = "\n".join(joined)
        is_usual = (
            all(joined)  # an empty line is no row
            and '"' not in text
            and "\r" not in text
            and text.count("\n") == len(rows) - 1
            and text.count(delimiter) == sum(map(len, rows)) - len(rows)
        )
        if is_usual:
            with suppress(UnicodeEncodeError):
                return (text + "\n").replace("\n", self.end.decode()).encode(name)
        return b"".join([self.line(row) + self.end for row in rows])

    def cell(self, text: str) -> bytes:
        """A text as a cell.

        Raises:
            DatasetError: the encoding of the table does not have it.
        """
        try:
            cell = text.encode(self._dialect.encoding.name)
        except UnicodeEncodeError as error:
            raise DatasetError(
                f"'{text}' cannot be written in {self._dialect.encoding.name}, which the base has",
                where=str(self._path),
                fix="save the base as UTF-8",
            ) from error
        special = (self._dialect.delimiter, b'"', b"\n", b"\r")
        if any(each in cell for each in special):
            return b'"' + cell.replace(b'"', b'""') + b'"'
        return cell


class _Editor:
    """Goes through the records of a table, and gathers the new one."""

    def __init__(
        self,
        path: Path,
        dialect: Dialect,
        label: str,
        labels: Mapping[str, str],
        removed: Collection[str],
    ) -> None:
        self.parts: list[bytes] = []
        self._path, self._dialect, self._label = path, dialect, label
        self._writer = _Writer(path, dialect)
        self._labels, self._removed = labels, removed
        self._columns: Sequence[str] | None = None
        self._content: Callable[[Sequence[str]], str] | None = None
        self._place = -1
        self._old: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._overruled = self._dropped = 0

    def take(self, record: bytes, end: bytes, content_of: ContentOf) -> None:
        """The next record, with the bytes that end its line."""
        texts = cells(record, self._dialect).texts
        if self._columns is None:
            self._head(texts, end, content_of)
            self.parts += [record, end]
            return
        if texts == [""] or self._content is None:
            self.parts += [record, end]
            return
        content = self._content(texts)
        was = texts[self._place] if self._place < len(texts) else ""
        self._old.setdefault(content, was)
        if content in self._removed:
            self._dropped += 1
            return
        now = self._labels.get(content, was)
        if now != was:
            self._overruled += 1
            record = self._with_label(record, now)
        self._counts[now] += 1
        self.parts += [record, end]

    def finish(self, added: Mapping[str, Mapping[str, str]]) -> Edited:
        """The table, with what was added at its end."""
        if self._columns is None:
            raise DatasetError(
                f"{self._path.name} is empty",
                where=str(self._path),
                fix="give it a line with the names of its columns, or take another base (--base)",
            )
        rows = [row for content, row in added.items() if content not in self._old]
        if rows and not self.parts[-1].endswith((b"\n", b"\r")):
            self.parts.append(self._writer.end)
        try:
            texts = [[row[name] for name in self._columns] for row in rows]
        except KeyError as error:
            raise DatasetError(
                f"reviewed rows have no column '{error.args[0]}', which the base has",
                where=str(self._path),
                fix="choose another base (--base), or let the inference input have the column",
            ) from error
        self.parts.append(self._writer.lines(texts))
        self._counts.update(row[self._label] for row in rows)
        return Edited(
            b"".join(self.parts), self._old, dict(self._counts), self._overruled, self._dropped
        )

    def _head(self, texts: Sequence[str], end: bytes, content_of: ContentOf) -> None:
        self._columns = names_once(texts, [])
        if self._label not in self._columns:
            raise DatasetError(
                f"{self._path.name} has no column '{self._label}' for the label",
                where=str(self._path),
                fix=f"name it with review.label; columns: {listed(self._columns)}",
            )
        self._place = self._columns.index(self._label)
        self._content = content_of(self._columns)
        self._writer.end = end or self._dialect.line_end

    def _with_label(self, record: bytes, label: str) -> bytes:
        raw = raw_cells(record, self._dialect)
        raw += [b""] * (self._place + 1 - len(raw))
        raw[self._place] = self._writer.cell(label)
        return self._dialect.delimiter.join(raw)


def new_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table of its own, in UTF-8: where there is no base, and for tests."""
    dialect = Dialect(b",", b"\n", Encoding(UTF8))
    return _Writer(Path("new.csv"), dialect).lines([columns, *rows])
