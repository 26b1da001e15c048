"""Scripts and styles of the pages: read once, and cached by browsers while they are the same."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

from alo.serve.http_api.docs import page

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parents[1] / "static"
PREFIX = "/static/"
SHARED = "shared/"  # what the page of a service has, too; its scripts import each other by name
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOREVER = "public, max-age=31536000, immutable"


class _File(NamedTuple):
    content: bytes
    packed: bytes
    media_type: str


class StaticFiles:
    """Answers what is below ``/static/``; the names hold a digest of what they have."""

    def __init__(self) -> None:
        self._files = {versioned(name): _read(name) for name in _names()}

    def answer(self, http: Request, path: str) -> Response | None:
        """The file; None where the path is of something else."""
        if not path.startswith(PREFIX):
            return None
        file = self._files.get(path.removeprefix(PREFIX))
        if file is None or http.method not in ("GET", "HEAD"):
            return Response(status_code=404)
        headers = {
            "Cache-Control": FOREVER,
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        if "gzip" in http.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(file.packed, media_type=file.media_type, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)


@cache
def versioned(name: str) -> str:
    """The name of a static file in URLs."""
    if name.startswith(SHARED):
        return f"{SHARED}{_digest(*map(_content, _shared()))}/{name.removeprefix(SHARED)}"
    digest = _digest(_content(name))
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{digest}{dot}{suffix}"


def _names() -> list[str]:
    found = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES)
    return [*(path.relative_to(FOLDER).as_posix() for path in found), *_shared()]


def _shared() -> list[str]:
    found = sorted(path.name for path in page.FOLDER.iterdir() if path.suffix in TYPES)
    return [f"{SHARED}{name}" for name in found]


def _content(name: str) -> bytes:
    if name.startswith(SHARED):
        return (page.FOLDER / name.removeprefix(SHARED)).read_bytes()
    return (FOLDER / name).read_bytes()


def _digest(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(contents)).hexdigest()[:12]


def _read(name: str) -> _File:
    content = _content(name)
    return _File(content, gzip.compress(content, 9, mtime=0), TYPES[Path(name).suffix])
