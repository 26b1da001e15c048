"""Train data of pictures: a folder for each label, or a table that names each picture's label."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alo.copies import clone_or_copy
from alo.datasets.rows import ReviewedRow
from alo.datasets.table_edit import ContentOf, Tally, edit_table, new_table, replace_content
from alo.errors import DatasetError
from alo.plan.suggest import listed
from alo.tables.content import picture_content
from alo.tables.reading import columns_of, read_table

MOST_FOLDER = 255  # bytes of its name
ADDED = "reviewed"  # the folder of further pictures, beside the table


@dataclass(frozen=True, slots=True)
class PictureTable:
    """A table that says which picture has which label."""

    file: str  # its path below the train data
    path: str  # its column with the picture's path
    label: str  # its column with the label


def edit_folders(
    folder: Path, rows: Sequence[ReviewedRow], test: Collection[str], tally: Tally
) -> None:
    """Pictures whose folder is their label: moved where people say otherwise, new ones added."""
    labels = {row.content: row.label for row in rows}
    for path in _files(folder):
        content, was = picture_content(path.read_bytes()), path.parent.name
        tally.old.setdefault(content, was)
        if content in test:
            path.unlink()
            tally.moved_to_test += 1
            continue
        now = labels.get(content, was)
        if now != was:
            target = path.parent.parent / _as_folder(now) / path.name
            target.parent.mkdir(exist_ok=True)
            path.rename(_free(target))
            tally.overruled += 1
        tally.train[now] += 1
    home = folder / min(os.listdir(folder))
    for row in rows:
        if row.content not in tally.old:
            add_picture(home / _as_folder(row.label), row)
            tally.train[row.label] += 1


def edit_labelled(
    folder: Path,
    table: PictureTable,
    rows: Sequence[ReviewedRow],
    test: Collection[str],
    tally: Tally,
) -> None:
    """Pictures whose label a table has: that is edited, and gets a row for each new picture.

    A row whose picture is not there stays as it is, and is counted.

    Raises:
        DatasetError: there is no such table, or it lacks a column.
    """
    path = _table_below(folder, table)
    pictures = _Pictures(folder, path)
    known = pictures.contents(table)
    tally.pictures_missing += pictures.missing
    blank = dict.fromkeys(columns_of(path), "")
    added = {
        row.content: {
            **blank,
            table.path: f"{ADDED}/{add_picture(pictures.home / ADDED, row)}",
            table.label: row.label,
        }
        for row in rows
        if row.content not in known
    }
    labels = {row.content: row.label for row in rows}
    edited = edit_table(path, table.label, labels, test, added, pictures.content_of(table))
    replace_content(path, edited.content)
    tally.add(edited)
    for each in _files(folder):
        if each != path and pictures.content(each) in test:
            each.unlink()


def new_pictures(folder: Path, table: PictureTable | None, rows: Sequence[ReviewedRow]) -> None:
    """Train data of reviewed pictures alone."""
    if table is None:
        for row in rows:
            add_picture(folder / _as_folder(row.label), row)
        return
    lines = [(f"{ADDED}/{add_picture(folder / ADDED, row)}", row.label) for row in rows]
    content = new_table([table.path, table.label], lines)
    (folder / Path(table.file).name).write_bytes(content)


def add_picture(folder: Path, row: ReviewedRow) -> str:
    """Copy a row's picture there; returns its name, which says which case it is."""
    if row.picture is None:
        raise DatasetError(
            f"the picture of record {row.record} is gone",
            where=f"run {row.run}",
            fix=f"restore it: alo history verify {row.run}; or label the record otherwise: skip it",
        )
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{row.content[:12]}-{row.picture.name}"
    if not (folder / name).exists():  # the base may have it, without saying what it shows
        clone_or_copy(row.picture, folder / name)
    return name


@dataclass(slots=True)
class _Pictures:
    """The pictures that a table names: their paths begin beside it, or where the base begins."""

    folder: Path  # train/
    table: Path
    missing: int = 0
    home: Path = field(init=False)
    _contents: dict[Path, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.table.parent

    def contents(self, table: PictureTable) -> set[str]:
        """The content ids of all pictures that are there."""
        read = read_table(self.table)
        at = list(read.columns).index(table.path)
        names = [row[at] if at < len(row) else "" for row in read.rows]
        base = self.folder / self.table.relative_to(self.folder).parts[0]
        if base.is_dir() and not any(self._path(name) for name in names):
            self.home = base
        found = [self._content_named(name) for name in names]
        self.missing = found.count("")
        return {content for content in found if content}

    def content_of(self, table: PictureTable) -> ContentOf:
        """As ``edit_table`` asks for it."""

        def of(columns: Sequence[str]) -> Callable[[Sequence[str]], str]:
            at = list(columns).index(table.path)
            return lambda row: self._content_named(row[at] if at < len(row) else "")

        return of

    def content(self, path: Path) -> str:
        """Of a picture, each read once."""
        if path not in self._contents:
            self._contents[path] = picture_content(path.read_bytes())
        return self._contents[path]

    def _content_named(self, name: str) -> str:
        path = self._path(name)
        return self.content(path) if path else ""

    def _path(self, name: str) -> Path | None:
        """The picture that a table means; None: it is not in the base."""
        path = Path(os.path.normpath(self.home / name))
        is_below = bool(name) and path.is_relative_to(self.folder)
        return path if is_below and path.is_file() else None


def _table_below(folder: Path, table: PictureTable) -> Path:
    """The table in one of the folders below ``train/``."""
    places = [folder / table.file, *(each / table.file for each in sorted(folder.iterdir()))]
    inside = [Path(os.path.normpath(each)) for each in places]
    path = next((each for each in inside if each.is_relative_to(folder) and each.is_file()), None)
    if path is None:
        raise DatasetError(
            f"the base has no table '{table.file}', which review.truth names",
            where=str(folder),
            fix="name the table by its path below the train data, or take another base (--base)",
        )
    columns = columns_of(path)
    for name in (table.path, table.label):
        if name not in columns:
            raise DatasetError(
                f"{path.name} of the base has no column '{name}'",
                where=str(path),
                fix=f"review.truth.path and review.label name them; columns: {listed(columns)}",
            )
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


def _as_folder(label: str) -> str:
    # A folder with a dot before its name is hidden: many a loader of pictures skips it.
    is_odd = "/" in label or "\0" in label or label.startswith(".") or not label.strip()
    if is_odd or len(label.encode("utf-8", "surrogatepass")) > MOST_FOLDER:
        raise DatasetError(f"the label '{label}' cannot be a folder's name", fix="rename it")
    return label


def _free(path: Path) -> Path:
    count, found = 1, path
    while found.exists():
        count += 1
        found = path.with_name(f"{path.stem}-{count}{path.suffix}")
    return found
