"""``/datasets``: the versions of data sets; ``/datasets/{name}/{version}``; and what differs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from alo.datasets.catalog import Catalog, Version, verify
from alo.datasets.diff import difference
from alo.datasets.manifest import ROWS, Manifest
from alo.datasets.row_lines import Line, RowLines, row_lines
from alo.datasets.rows import TEST, TRAIN
from alo.errors import DatasetError, UsageError
from alo.loop.make_dataset import labels_of_two_names
from alo.ui.ask import Ask
from alo.ui.problems import not_found, refused_value
from alo.ui.query import active
from alo.ui.rendering.page import Page
from alo.ui.screens.lists import below_of, limit_of, table_of

COLUMNS = ("reference", "id", "train", "test", "base", "parent", "when", "who", "note", "damaged")
ROW_COLUMNS = (
    "record", "content", "predicted", "certainty", "old", "new", "split", "source", "weight",
    "run", "model", "by", "at",
)  # fmt: skip
CHANGE_COLUMNS = ("change", "record", "label", "from", "split")
FILTERS = {"split": "split", "new": "label", "source": "source", "q": "text"}
SPLITS, SOURCES = (TRAIN, TEST), ("random", "uncertain", "picked")
LOOKED_AT_ONCE = 20_000_000  # bytes of a version that are verified with each look
OTHERS = ("overruled", "moved_to_test", "skipped", "flagged", "conflict")


def index(ask: Ask) -> Page:
    """All versions: by name, the newest of each first."""
    ask.query.allow("q", "page", "limit")
    catalog, text, limit = Catalog(ask.studio.workspace), ask.query.one("q"), limit_of(ask.query)
    references = [each for each in catalog.references() if text in each]
    key = ask.query.one("page")
    if key and key not in references:
        raise refused_value("page", "this is no page of the list")
    first = references.index(key) + 1 if key else 0
    here = references[first : first + limit]
    follows = first + limit < len(references)
    content = {
        "items": [_line(catalog, each) for each in here],
        "next": ask.query.link(page=here[-1], limit=ask.query.one("limit")) if follows else None,
        "total": len(references),
    }
    shown = {
        "filters": active(ask.query, {"q": "text"}),
        "is_first": not key,
        "command": "alo dataset list",
    }
    whole = table_of(COLUMNS, (_line(catalog, each) for each in references))
    return Page("datasets", "Data sets", content, shown, whole, folder="loop/")


def _line(catalog: Catalog, reference: str) -> dict[str, object]:
    """A version as the list has it; of a damaged one, what is wrong with it."""
    found: dict[str, object] = dict.fromkeys(COLUMNS, "")
    found |= {"reference": reference, "train": None, "test": None}
    try:
        manifest = catalog.find(reference).manifest
    except (DatasetError, UsageError) as error:
        return {**found, "damaged": error.what}
    numbers = {
        name: getattr(manifest, name) for name in ("id", "base", "parent", "when", "who", "note")
    }
    counts = {part: _total(manifest.counts, part) for part in (TRAIN, TEST)}
    return {**found, **numbers, **counts}


def _total(counts: Mapping[str, object], part: str) -> int:
    labels = counts.get(part)
    return sum(labels.values()) if isinstance(labels, Mapping) else 0


def show(ask: Ask) -> Page:
    """One version: what it was made of, its counts, and its reviewed rows page by page."""
    ask.query.allow(*FILTERS, "verify", "page", "limit")
    version = _version(ask, ask.names["version"])
    manifest = version.manifest
    limit, first = limit_of(ask.query), below_of(ask.query)
    lines, notes = _lines(version)
    found = lines.find(_wanted(ask), ask.query.one("q"))
    here, follows = found[first : first + limit], first + limit < len(found)
    damage = _damage(ask, version)
    following = ask.query.link(page=str(first + limit), limit=ask.query.one("limit"))
    content: dict[str, object] = {
        **manifest.to_json(),
        "reference": manifest.reference,
        "damage": damage,
        "notes": notes,
        "items": [_shown(row) for row in lines.read(here)],
        "next": following if follows else None,
        "total": len(found),
    }
    versions = Catalog(ask.studio.workspace).versions(manifest.name)
    shown = {
        "labels_shown": _by_label(manifest.counts),
        "totals": {part: _total(manifest.counts, part) for part in (TRAIN, TEST)},
        "counted": {
            name: manifest.counts.get(name) for name in OTHERS if manifest.counts.get(name)
        },
        "left_out": manifest.counts.get("left_out") or {},
        "two_names": _two_names(ask, manifest),
        "others": [each for each in versions if each != manifest.version],
        "filters": active(ask.query, FILTERS),
        "choices": {"split": SPLITS, "source": SOURCES, "new": _labels(lines)},
        "is_first": first == 0,
        "size": sum(each.size for each in manifest.files),
        "verify_link": ask.query.link(verify="1"),
        "columns": ROW_COLUMNS,
        "command": shlex.join(["alo", "dataset", "show", manifest.reference]),
    }
    whole = table_of(ROW_COLUMNS, map(_shown, lines.read(found)))
    return Page("dataset", manifest.reference, content, shown, whole, folder="loop/")


def _two_names(ask: Ask, manifest: Manifest) -> dict[str, tuple[str, int]]:
    """Labels that rows of a version have by two names; one that was renamed since has the old."""
    labels = {label for label, *_ in _by_label(manifest.counts)}
    found = labels_of_two_names(ask.studio.database, manifest)
    return {old: (now, rows) for old, (now, rows) in found.items() if now in labels}


def _version(ask: Ask, version: str) -> Version:
    reference = f"{ask.names['name']}@{version}"
    try:
        return Catalog(ask.studio.workspace).find(reference)
    except UsageError as error:
        raise not_found(error.what, fix=error.fix, about=reference) from error


def _lines(version: Version) -> tuple[RowLines, Sequence[str]]:
    """The reviewed rows that can be read, and what cannot."""
    path = version.folder / ROWS
    try:
        found = row_lines(path)
    except OSError as error:
        return RowLines(path, (), (), (), ()), [f"{ROWS}: {error.strerror or error}"]
    return found, found.notes


def _shown(row: Line) -> dict[str, object]:
    return {name: row.get(name) for name in ROW_COLUMNS}


def _wanted(ask: Ask) -> Mapping[str, str]:
    """The facets of rows that the URL filters by."""
    query = ask.query
    asked = {
        "split": query.one("split", among=SPLITS),
        "source": query.one("source", among=SOURCES),
        "new": query.one("new"),
    }
    return {name: value for name, value in asked.items() if value}


def _damage(ask: Ask, version: Version) -> list[dict[str, str]] | None:
    """The files that are not as they were made; None: that was not looked at."""
    size = sum(each.size for each in version.manifest.files)
    if size > LOOKED_AT_ONCE and ask.query.one("verify", among=("1",)) != "1":
        return None
    return [{"path": each.path, "what": each.what} for each in verify(version)]


def _by_label(counts: Mapping[str, object]) -> list[tuple[str, int, int]]:
    """Label, its train rows, its test rows."""
    train, test = (counts.get(part) for part in (TRAIN, TEST))
    of_train = train if isinstance(train, Mapping) else {}
    of_test = test if isinstance(test, Mapping) else {}
    return [
        (str(each), of_train.get(each, 0), of_test.get(each, 0))
        for each in sorted({*of_train, *of_test})
    ]


def _labels(lines: RowLines) -> Sequence[str]:
    return sorted({each.new for each in set(lines.facets)})


def diff(ask: Ask) -> Page:
    """What the other version has more, less and otherwise than this: as `alo dataset diff A B`."""
    ask.query.allow("change", "page", "limit")
    one, other = _version(ask, ask.names["version"]), _version(ask, ask.names["other"])
    found = difference(one, other)
    parts = {"added": found.added, "removed": found.removed, "relabelled": found.relabelled}
    wanted = ask.query.one("change", among=tuple(parts))
    first, limit = below_of(ask.query), limit_of(ask.query)

    def changes() -> Iterator[dict[str, object]]:
        for name, rows in parts.items():
            if not wanted or name == wanted:
                yield from ({"change": name, "from": None, **row} for row in rows)

    total = sum(len(rows) for name, rows in parts.items() if not wanted or name == wanted)
    following = ask.query.link(page=str(first + limit), limit=ask.query.one("limit"))
    content = {
        "from": found.before,
        "to": found.after,
        "counts": {"from": found.counts[0], "to": found.counts[1]},
        "added": len(found.added),
        "removed": len(found.removed),
        "relabelled": len(found.relabelled),
        "files": list(found.files),
        "items": list(islice(changes(), first, first + limit)),
        "next": following if first + limit < total else None,
        "total": total,
    }
    before, after = (dict((n, (a, b)) for n, a, b in _by_label(each)) for each in found.counts)
    shown = {
        "labels_shown": [
            (name, [*before.get(name, (0, 0)), *after.get(name, (0, 0))])
            for name in sorted({*before, *after})
        ],
        "parts_shown": {
            name: (len(rows), ask.query.link(change=name)) for name, rows in parts.items()
        },
        "filters": active(ask.query, {"change": "change"}),
        "is_first": first == 0,
        "command": shlex.join(["alo", "dataset", "diff", found.before, found.after]),
    }
    title = f"{found.before} → {found.after}"
    return Page(
        "dataset_diff", title, content, shown, table_of(CHANGE_COLUMNS, changes()), folder="loop/"
    )
