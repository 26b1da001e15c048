"""``/runs/{id}/files`` and ``/runs/{id}/raw``: the files of a run, shown by what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from alo.tables.reading import TABLES
from alo.ui.ask import Ask
from alo.ui.found_run import FoundRun, find_run
from alo.ui.problems import not_found, refused_value
from alo.ui.query import active
from alo.ui.readers.folders import Entry, folder_page, names_beside
from alo.ui.readers.text_windows import text_window
from alo.ui.rendering.page import FileAnswer, Page, TableAnswer
from alo.ui.screens.files import image, table
from alo.ui.screens.lists import limit_of, table_of

MOST_FILES = 10**9
COLUMNS = ("path", "name", "size", "type")
TABLE, IMAGE, TEXT, REPORT, OTHER = "table", "image", "text", "report", "other"
FOLDER = "folder"
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
REPORTS = {".html": "text/html; charset=utf-8", ".htm": "text/html", ".svg": "image/svg+xml"}
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
    """The files of a run, folder by folder; a search finds those of all folders below."""
    ask.query.allow("folder", "q", "page", "limit")
    found = find_run(ask)
    folder = _folder(found, ask.query.one("folder"))
    limit, first = limit_of(ask.query), ask.query.number("page", 0, 0, 10**9)
    wanted = ask.query.one("q").lower()
    try:
        listed = folder_page(found.folder, folder, first, limit, wanted)
    except OSError as error:
        raise not_found(f"folder '{folder}' cannot be read: {error.strerror}") from error
    files = [_listed(each, folder) for each in listed.entries]
    more = first + limit < listed.total
    following = ask.query.link(page=str(first + limit)) if more else None
    parts = folder.split("/") if folder else []
    shown = {
        **_frame(found),
        "folder": folder,
        "is_first": not first,
        "is_gallery": sum(each["type"] == IMAGE for each in files) * 2 > len(files),
        "crumbs": [(name, "/".join(parts[: at + 1])) for at, name in enumerate(parts)],
        "filters": active(ask.query, {"q": "Search"}),
    }
    content = {"items": files, "next": following, "total": listed.total}
    whole = table_of(COLUMNS, _all_of(found, folder, wanted))
    return Page("run_files", found.record.id, content, shown, whole, folder="runs/")


def _listed(entry: Entry, folder: str) -> dict[str, object]:
    """A file or folder as JSON and CSV have it."""
    return {
        "path": entry.path,
        "name": entry.path[len(folder) + 1 if folder else 0 :],
        "size": entry.size,
        "type": FOLDER if entry.size is None else kind_of(entry.path),
    }


def _all_of(found: FoundRun, folder: str, wanted: str) -> Iterator[dict[str, object]]:
    """All that is listed of a folder, looked at once it is asked for."""
    with suppress(OSError):  # it is no more
        listed = folder_page(found.folder, folder, 0, MOST_FILES, wanted)
        yield from (_listed(each, folder) for each in listed.entries)


def show(ask: Ask) -> Page:
    """One file: a text by windows, a picture, a report in a frame of its own; else its size."""
    found = find_run(ask)
    name = ask.names["path"]
    path = found.file(name)
    kind = kind_of(name)
    size = path.stat().st_size
    folder = name.rpartition("/")[0]
    beside = [each for each in names_beside(found.folder / folder) if kind_of(each) == kind]
    names = [f"{folder}/{each}" if folder else each for each in beside]
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
    if kind == IMAGE:
        return image.show(ask, name, path, shown)
    ask.query.allow("from", "q")
    content: dict[str, object] = {"path": name, "size": size, "type": kind}
    window = None
    if kind in (TEXT, OTHER):
        window = text_window(path, ask.query.number("from", 0, 0, 10**15), ask.query.one("q"))
        content |= window.to_json()
    return Page("file", name, content, {**shown, "window": window}, folder="files/")


def raw(ask: Ask) -> FileAnswer | TableAnswer:
    """The bytes of a file; as its type only where no script of ours could be harmed by it."""
    ask.query.allow("download", "thumb")
    found = find_run(ask)
    name = ask.names["path"]
    path = found.file(name)
    suffix, last = _suffix(name), name.rpartition("/")[2]
    if ask.query.one("thumb"):
        if suffix not in IMAGES:
            raise refused_value("thumb", f"{last} is no picture")
        return image.thumbnail(ask, path, last)
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


def _folder(found: FoundRun, name: str) -> str:
    """A folder that a URL names.

    Raises:
        UiError: 404: there is none, or it is not in the run's.
    """
    path = found.folder / name
    with suppress(OSError, ValueError):
        real, root = path.resolve(strict=True), found.folder.resolve()
        if real.is_relative_to(root) and real.is_dir():
            shown = real.relative_to(root).as_posix()
            return "" if shown == "." else shown
    raise not_found(f"run {found.record.id} has no folder '{name}'")


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
