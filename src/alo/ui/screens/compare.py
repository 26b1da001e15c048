"""``/compare``: what differs between some runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from alo.files import checksum
from alo.history.diff import differences
from alo.history.record import RunRecord, plain
from alo.ui.ask import Ask
from alo.ui.found_run import FoundRun, run_of
from alo.ui.problems import UiError, refused_value
from alo.ui.readers.table_diff import join
from alo.ui.rendering.page import Page
from alo.ui.screens.files.files import IMAGE, TABLE, kind_of

LEAST, MOST = 2, 20
MOST_TABLES, MOST_IMAGES = 5, 24  # of the outputs
MOST_LINES = 5000  # of a text that is compared
MOST_PAGE = 10**9  # the first of the cells that differ


def show(ask: Ask) -> Page:
    """The comparison of the runs that the URL names; without any, how to choose some."""
    ask.query.allow("run", "all", "key", "table", "page")
    ids = ask.query.many("run")
    is_all = ask.query.one("all", among=("1",)) == "1"
    if not ids:
        return Page("compare", "Compare", {"runs": []}, {"sections": [], "is_all": False})
    if not LEAST <= len(ids) <= MOST:
        raise refused_value("run", f"{LEAST} to {MOST} runs can be compared, not {len(ids)}")
    found = [run_of(ask, run_id) for run_id in ids]
    records = [each.record for each in found]
    if len({record.id for record in records}) < len(records):
        raise refused_value("run", "a run cannot be compared with itself")
    content = _content(found, records, is_all)
    key = ask.query.one("key")
    tables, keys = _tables(ask, found, key)
    if key and key not in keys:
        raise refused_value("key", f"no table of all these runs has a column '{key}'")
    paged = ask.query.one("table")
    if paged and paged not in [each["path"] for each in tables]:
        raise refused_value("table", f"no table of all these runs is '{paged}'")
    content |= {"tables": tables, "images": _images(found, is_all)}
    shown = {
        "records": records,
        "is_all": is_all,
        "keys": keys,
        "command": f"alo history diff {' '.join(record.id for record in records)}",
        "toggle": ask.query.link(all=None if is_all else "1"),
        "others": {
            record.id: ask.query.link(run=[each.id for each in records if each is not record])
            for record in records
        },
    }
    return Page("compare", "Compare", content, shown)


def _content(
    found: Sequence[FoundRun], records: Sequence[RunRecord], is_all: bool
) -> dict[str, object]:
    changes = differences(records, everything=is_all)
    environment = changes["environment"]
    return {
        "runs": [record.to_list_json() for record in records],
        "ids": _rows(changes["ids"]),
        "args": _rows(changes["args"]),
        "summary": _rows(_changed(changes["summary"], is_all)),
        "packages": _rows(environment),
        "steps": _rows(_changed(changes["step seconds"], is_all)),
        "memory": _rows(_changed(_memory(records), is_all)),
        "data": _rows(changes["data"]),
        "plan": _diff(found, [_plan(each) for each in found], "the plan"),
        "code": [
            {"path": name, "diff": _diff(found, [_code(each, name) for each in found], name)}
            for name in changes["code"]
        ],
        "outputs": _rows(_outputs(found, is_all)),
    }


def _memory(records: Sequence[RunRecord]) -> Mapping[str, Sequence[object]]:
    """The most bytes that each step has taken, by run; None: it is not known."""
    known = [{step.name: step.peak_bytes or None for step in each.steps} for each in records]
    names = dict.fromkeys(name for each in known for name in each)
    return {name: [each.get(name) for each in known] for name in names}


def _rows(values: Mapping[str, Sequence[object]]) -> list[dict[str, object]]:
    return [{"key": key, "values": [plain(each) for each in row]} for key, row in values.items()]


def _changed(
    values: Mapping[str, Sequence[object]], is_all: bool
) -> Mapping[str, Sequence[object]]:
    if is_all:
        return values
    return {key: row for key, row in values.items() if any(each != row[0] for each in row)}


def _outputs(found: Sequence[FoundRun], is_all: bool) -> Mapping[str, Sequence[object]]:
    """Output file → its size in each run."""
    sizes = [
        {each.path: each.size for each in run.files() if each.path.startswith("output/")}
        for run in found
    ]
    names = dict.fromkeys(name for files in sizes for name in files)
    return _changed({name: [files.get(name) for files in sizes] for name in names}, is_all)


def _tables(
    ask: Ask, found: Sequence[FoundRun], key: str
) -> tuple[list[dict[str, object]], list[str]]:
    """Cells that differ in the tables that all runs have, and by which columns to join them."""
    made: list[dict[str, object]] = []
    keys: list[str] = []
    for name in [each for each in _common(found) if kind_of(each) == TABLE][:MOST_TABLES]:
        opened = [ask.studio.tables.open(run.file(name)) for run in found]
        if not all(each.columns for each in opened):
            continue
        is_paged = ask.query.one("table") == name
        first = ask.query.number("page", 0, 0, MOST_PAGE) if is_paged else 0
        joined = join(ask.studio.tables, opened, key, first=first)
        keys += [each for each in joined.keys if each not in keys]
        made.append(
            {
                "path": name,
                "key": key if key in joined.keys else None,
                "rows": joined.rows,
                "changed": joined.changed,
                "is_whole": joined.is_whole,
                "first": first,
                "items": [each._asdict() for each in joined.cells],
                "next": _cells(ask, name, joined.following) if joined.following else None,
            }
        )
    return made, keys


def _cells(ask: Ask, table: str, first: int) -> str:
    """The URL of the cells of a table that differ, from one of them on."""
    return ask.query.link(table=table, page=str(first))


def _images(found: Sequence[FoundRun], is_all: bool) -> list[str]:
    """Pictures that all runs have and that differ."""
    names = [each for each in _common(found) if kind_of(each) == IMAGE]
    return [
        name
        for name in names[:MOST_IMAGES]
        if is_all or len({checksum(run.file(name)) for run in found}) > 1
    ]


def _common(found: Sequence[FoundRun]) -> list[str]:
    """The output files that all runs have."""
    names = [
        {each.path for each in run.files() if each.path.startswith("output/")} for run in found
    ]
    return sorted(set.intersection(*names))


def _plan(run: FoundRun) -> str:
    try:
        return run.plan().decode("utf-8", "replace")
    except UiError:
        return ""


def _code(run: FoundRun, name: str) -> str:
    from alo.layout import in_entry

    try:
        return run.file(in_entry(name)).read_text("utf-8", "replace")
    except (UiError, OSError):
        return ""


def _diff(found: Sequence[FoundRun], texts: Sequence[str], name: str) -> list[str]:
    """The texts of all runs against that of the first, as unified diffs."""
    lines: list[str] = []
    first = texts[0].splitlines()[:MOST_LINES]
    for run, text in zip(found[1:], texts[1:], strict=True):
        names = f"{found[0].record.id} {name}", f"{run.record.id} {name}"
        lines += difflib.unified_diff(first, text.splitlines()[:MOST_LINES], *names, lineterm="")
    return lines
