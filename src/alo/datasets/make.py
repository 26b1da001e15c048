"""Make a version of a data set: complete, or not there at all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alo.copies import clone_or_copy, settle
from alo.datasets.catalog import Catalog, Version, check_name, make_read_only, make_writable
from alo.datasets.manifest import (
    LABELS,
    ROWS,
    TEST_TABLE,
    Manifest,
    Meaning,
    files_of,
    id_of,
    read_manifest,
    write_manifest,
)
from alo.datasets.pictures import (
    PictureTable,
    add_picture,
    edit_folders,
    edit_labelled,
    new_pictures,
)
from alo.datasets.rows import TEST, TRAIN, ReviewedRow, lines_of
from alo.datasets.split import TEST_SHARE, Split, split_rows
from alo.datasets.table_edit import ContentOf, Tally, edit_table, new_table, replace_content
from alo.errors import DatasetError
from alo.files import alone_with, append_line, remove_tree
from alo.json_text import json_lines
from alo.real_names import real_names
from alo.tables.content import content_over
from alo.tables.measured import are_measured
from alo.tables.reading import columns_of, is_table

TESTED = "tested.jsonl"  # of a data set: which cases tested which of its versions
NEW = ".new-"  # of the folder of a version that is being made
OWN = "train"  # the folder below train/ where there is no base


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRequest:
    """What a version is to be made of."""

    name: str
    rows: Sequence[ReviewedRow]
    reviews: Sequence[str]
    base: str  # as it was asked for: a path, NAME@V, or none
    base_paths: Sequence[Path] = ()  # folders and files of train data
    test_share: float = TEST_SHARE
    picture_table: PictureTable | None = None  # None: a picture's folder is its label
    labels: Sequence[str] = ()  # the names that can be given
    meaning: Meaning = field(default_factory=Meaning)
    counts: Mapping[str, int] = field(default_factory=dict)  # skipped, flagged, conflict
    who: str = ""
    when: str = ""
    note: str = ""
    command: str = ""


def make_version(
    catalog: Catalog, asked: DatasetRequest, note: Callable[[Manifest], None] = lambda _: None
) -> tuple[Version, bool]:
    """Make a version; returns it, and whether it is new: the same decisions make no other one.

    Args:
        note: receives a new version once it is complete, just before it is to be seen.
    Raises:
        UsageError: no data set can be called so.
        DatasetError: there is nothing to make it of, or the base does not fit.
        OSError: nothing of it is to be seen then.
    """
    check_name(asked.name)
    if not asked.rows:
        raise DatasetError(
            "the reviews have no record with a label", fix="alo review show NAME says what is left"
        )
    home = catalog.folder / asked.name
    _check_base(home, asked)
    home.mkdir(parents=True, exist_ok=True)
    with alone_with(home):
        _sweep(home)
        build = home / f"{NEW}{os.urandom(6).hex()}"
        copies = {build / TRAIN / path.name: path for path in asked.base_paths}
        try:
            target = home / f"v{_next_number(home, catalog.versions(asked.name))}"
            with real_names({**copies, build: target}):  # what is wrong is so in the base, too
                return _make(build, target, catalog, asked, note)
        finally:
            _sweep(home)


def _make(
    build: Path,
    target: Path,
    catalog: Catalog,
    asked: DatasetRequest,
    note: Callable[[Manifest], None],
) -> tuple[Version, bool]:
    manifest, tested = _build(build, target.name, catalog, asked)
    same = _same_version(catalog, asked.name, manifest.id)
    if same is not None:
        return same, False
    _note_tested(target.parent, manifest, tested)
    settle(build)
    make_read_only(build)
    os.chmod(build, 0o755)  # noqa: S103 - it is renamed
    note(manifest)
    build.rename(target)
    os.chmod(target, 0o555)  # noqa: S103 - a folder
    return Version(target, manifest), True


def _check_base(home: Path, asked: DatasetRequest) -> None:
    """What holds ``home``, below which the version is made, would be copied without end."""
    for path in asked.base_paths:
        if home.resolve().is_relative_to(path.resolve()):
            raise DatasetError(
                "the base holds the data set that is made of it",
                where=str(path),
                fix="name the folder with the train data alone: --base PATH",
            )


def _build(
    build: Path, version: str, catalog: Catalog, asked: DatasetRequest
) -> tuple[Manifest, Sequence[str]]:
    """Write a version; returns its manifest, and the content ids that test it."""
    home = build.parent
    versions = catalog.versions(asked.name)
    split = split_rows(asked.rows, asked.name, asked.test_share, contents_that_tested(home))
    tally = Tally()
    for part in (TRAIN, TEST):
        (build / part).mkdir(parents=True)
    folders = _write_train(build / TRAIN, asked, split, tally)
    _write_test(build, asked, split.test)
    lines = lines_of(
        row.line(tally.old.get(row.content), part)
        for part, rows in ((TRAIN, split.train), (TEST, split.test))
        for row in rows
    )
    (build / ROWS).write_bytes(lines)
    files = files_of(build)
    manifest = Manifest(
        name=asked.name,
        version=version,
        id=id_of(files, lines),
        parent=f"{asked.name}@{versions[-1]}" if versions else "",
        base=asked.base,
        base_folders=folders,
        reviews=list(asked.reviews),
        labels=list(asked.labels),
        meaning=asked.meaning.as_read(),
        test_share=asked.test_share,
        counts={
            TRAIN: dict(sorted(tally.train.items())),
            TEST: dict(sorted(Counter(row.label for row in split.test).items())),
            "reviewed": len(asked.rows),
            "skipped": asked.counts.get("skipped", 0),
            "flagged": asked.counts.get("flagged", 0),
            "conflict": asked.counts.get("conflict", 0) + split.left_out.get("conflict", 0),
            "overruled": tally.overruled,
            "moved_to_test": tally.moved_to_test,
            "pictures_missing": tally.pictures_missing,
            "left_out": {why: n for why, n in split.left_out.items() if why != "conflict"},
        },
        files=files,
        who=asked.who,
        when=asked.when,
        note=asked.note,
        command=asked.command,
    )
    return write_manifest(build, manifest), [row.content for row in split.test]


def contents_that_tested(home: Path) -> frozenset[str]:
    """The content ids that ever tested a version of this data set, of those removed too.

    A version that the list lacks, since that was lost, is asked itself.
    """
    noted = dict(ledger(home))
    found = {content for contents in noted.values() for content in contents}
    for path in home.glob(f"v*/{ROWS}"):
        if path.parent.name.removeprefix("v") not in map(str, noted):
            found.update(_tested_by(path))
    return frozenset(found)


def _tested_by(rows: Path) -> list[str]:
    return [line["content"] for line in json_lines(rows.read_bytes()) if line["split"] == TEST]


def ledger(home: Path) -> list[tuple[int, list[str]]]:
    """The number of each version that ever was, also of those removed, and what tested it.

    Raises:
        DatasetError: the list is damaged.
    """
    try:
        whole, _, _ = (home / TESTED).read_bytes().rpartition(b"\n")  # the rest is torn by a kill
        return [
            (int(str(line["version"]).removeprefix("v")), [str(each) for each in line["contents"]])
            for line in json_lines(whole)
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"the list of what tested this data set is damaged: {error}",
            where=str(home / TESTED),
            fix="restore it from a backup: without it a test row could be learned from",
        ) from error


def _note_tested(home: Path, manifest: Manifest, contents: Sequence[str]) -> None:
    """Before the version is there: what tests it is never learned from, whatever happens then."""
    line = json.dumps({"version": manifest.version, "id": manifest.id, "contents": contents})
    append_line(home / TESTED, line.encode())


def _next_number(home: Path, versions: Sequence[str]) -> int:
    """A number is given once, also where a version was removed."""
    given = [number for number, _ in ledger(home)]
    return max([0, *given, *(int(each.removeprefix("v")) for each in versions)]) + 1


def _same_version(catalog: Catalog, name: str, version_id: str) -> Version | None:
    for each in reversed(catalog.versions(name)):
        folder = catalog.folder / name / each
        manifest = read_manifest(folder)
        if manifest.id == version_id:
            return Version(folder, manifest)
    return None


def _write_train(folder: Path, asked: DatasetRequest, split: Split, tally: Tally) -> list[str]:
    """``train/``: as the train input expects it; returns the folders in it, one for each path."""
    test = {row.content for row in split.test} | contents_that_tested(folder.parent.parent)
    if not asked.base_paths:
        _write_own(folder / OWN, asked, split.train, tally)
        return [OWN]
    names: list[str] = []
    for path in asked.base_paths:
        if path.name in names:
            raise DatasetError(
                f"two paths of the base are called '{path.name}'",
                where=str(path),
                fix="rename one of them, or name a folder that holds both (--base)",
            )
        names.append(path.name)
        _copy(path, folder / path.name)
    if asked.meaning.columns:
        _edit_tables(folder, asked, split.train, test, tally)
    elif asked.picture_table is None:
        edit_folders(folder, split.train, test, tally)
    else:
        edit_labelled(folder, asked.picture_table, split.train, test, tally)
    return names


def _edit_tables(
    folder: Path, asked: DatasetRequest, rows: Sequence[ReviewedRow], test: set[str], tally: Tally
) -> None:
    """The tables of the base that have the label: edited, and the last one with what is new."""
    label = asked.meaning.label
    tables = [path for path in _tables(folder) if label in columns_of(path)]
    if not tables:
        raise DatasetError(
            f"no table of the base has a column '{label}' for the label",
            where=asked.base,
            fix="name it by review.label in the plan or --label, or take another base (--base)",
        )
    labels = {row.content: row.label for row in rows}
    for number, path in enumerate(tables, 1):
        is_last = number == len(tables)
        added = {
            row.content: {**row.named(), label: row.label}
            for row in rows
            if is_last and row.content not in tally.old
        }
        edited = edit_table(path, label, labels, test, added, _content_of(asked.meaning.columns))
        if are_measured(edited.old.values()):
            raise DatasetError(
                f"the column '{label}' of the base holds measured numbers, not classes",
                where=f"{asked.base}: {path.name}",
                fix="name the column with the class by review.label in the plan, or --label",
            )
        replace_content(path, edited.content)
        tally.add(edited)


def _content_of(wanted: Sequence[str]) -> ContentOf:
    """Content ids of the base's rows, over the columns that the reviewed rows have."""

    def of(columns: Sequence[str]) -> Callable[[Sequence[str]], str]:
        # Without such a column, no row of the base can be one of these cases.
        return content_over(wanted, columns) or (lambda row: "")

    return of


def _write_own(
    folder: Path, asked: DatasetRequest, rows: Sequence[ReviewedRow], tally: Tally
) -> None:
    folder.mkdir()
    tally.train.update(row.label for row in rows)
    columns = asked.meaning.columns
    if not columns:
        new_pictures(folder, asked.picture_table, rows)
        return
    values = [[*row.values_of(columns), row.label] for row in rows]
    (folder / "reviewed.csv").write_bytes(new_table([*columns, asked.meaning.label], values))


def _write_test(build: Path, asked: DatasetRequest, rows: Sequence[ReviewedRow]) -> None:
    """``test/``: as the inference input is, without labels; those are beside it."""
    folder = build / TEST
    columns = asked.meaning.columns
    if columns:
        values = [row.values_of(columns) for row in rows]
        (folder / TEST_TABLE).write_bytes(new_table(columns, values))
        keys = [row.key if asked.meaning.key else str(at) for at, row in enumerate(rows)]
    else:
        keys = [add_picture(folder, row) for row in rows]
    name = "key" if columns else "file"
    lines = [(key, row.label) for key, row in zip(keys, rows, strict=True)]
    (build / LABELS).write_bytes(new_table([name, "label"], lines))


def _tables(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if is_table(each))


def _copy(source: Path, target: Path) -> None:
    """A file or a folder of the base; links are not followed."""
    if source.is_file():
        clone_or_copy(source, target)
        return
    target.mkdir()
    for each in sorted(source.iterdir()):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            continue
        _copy(each, target / each.name)


def _sweep(home: Path) -> None:
    """Remove what was being made: only who has the lock makes anything."""
    for path in home.glob(f"{NEW}*"):
        make_writable(path)
        remove_tree(path)
