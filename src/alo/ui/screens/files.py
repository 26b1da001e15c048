"""``/runs/{id}/files`` and ``/runs/{id}/raw``: the files of a run, shown by what they are."""

from __future__ import annotations

from alo.ui.ask import Ask
from alo.ui.found_run import FoundRun, find_run
from alo.ui.page import FileAnswer, Page, TableAnswer
from alo.ui.readers.text_windows import text_window
from alo.ui.screens import table

TABLE, IMAGE, TEXT, REPORT, OTHER = "table", "image", "text", "report", "other"
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
REPORTS = {".html": "text/html; charset=utf-8", ".htm": "text/html", ".svg": "image/svg+xml"}
TABLES = (".csv", ".tsv")
TEXTS = (".txt", ".log", ".json", ".jsonl", ".yaml", ".yml", ".py", ".md", ".toml", ".ini", ".cfg")


def kind_of(name: str) -> str:
    """How a file is shown, by its suffix."""
    suffix = _suffix(name)
    if suffix in TABLES:
        return TABLE
    if suffix in IMAGES:
        return IMAGE
    if suffix in REPORTS:
        return REPORT
    return TEXT if suffix in TEXTS else OTHER


def index(ask: Ask) -> Page:
    """All files of a run."""
    ask.query.allow("q")
    found = find_run(ask)
    wanted = ask.query.one("q").lower()
    files = [
        {"path": each.path, "size": each.size, "type": kind_of(each.path)}
        for each in found.files()
        if wanted in each.path.lower()
    ]
    content = {"items": files, "next": None, "total": len(files)}
    return Page("run_files", found.record.id, content, _frame(found))


def show(ask: Ask) -> Page:
    """One file: a text by windows, a picture, a report in a frame of its own; else its size."""
    found = find_run(ask)
    name = ask.names["path"]
    path = found.file(name)
    kind = kind_of(name)
    size = path.stat().st_size
    names = [each.path for each in found.files() if kind_of(each.path) == kind]
    shown: dict[str, object] = {
        **_frame(found),
        "name": name,
        "size": size,
        "kind": kind,
        "previous": _next(names, name, -1),
        "following": _next(names, name, 1),
    }
    if kind == TABLE:
        return table.show(ask, name, path, shown)
    ask.query.allow("from", "q")
    content: dict[str, object] = {"path": name, "size": size, "type": kind}
    window = None
    if kind in (TEXT, OTHER):
        window = text_window(path, ask.query.number("from", 0, 0, 10**15), ask.query.one("q"))
        content |= window.to_json()
    return Page("file", name, content, {**shown, "window": window})


def raw(ask: Ask) -> FileAnswer | TableAnswer:
    """The bytes of a file; as its type only where no script of ours could be harmed by it."""
    ask.query.allow("download")
    found = find_run(ask)
    name = ask.names["path"]
    path = found.file(name)
    suffix, last = _suffix(name), name.rpartition("/")[2]
    if suffix in TABLES and ask.query.one("for"):
        return TableAnswer(last, table.whole(ask, path))
    is_download = bool(ask.query.one("download", among=("1",)))
    if suffix in IMAGES:
        return FileAnswer(path, last, IMAGES[suffix], is_download)
    if suffix in REPORTS:
        return FileAnswer(path, last, REPORTS[suffix], is_download, is_sandboxed=True)
    if suffix in (*TEXTS, *TABLES):
        return FileAnswer(path, last, "text/plain; charset=utf-8", is_download)
    return FileAnswer(path, last, is_download=True)


def _frame(found: FoundRun) -> dict[str, object]:
    return {
        "run": found.record,
        "found": found,
        "section": "files",
        "command": f"ls {found.folder}",
    }


def _suffix(name: str) -> str:
    dot = name.rpartition("/")[2].rfind(".")
    return name.rpartition("/")[2][dot:].lower() if dot > 0 else ""


def _next(names: list[str], name: str, step: int) -> str | None:
    at = names.index(name) + step if name in names else -1
    return names[at] if 0 <= at < len(names) else None
