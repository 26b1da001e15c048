"""Scripts and styles of the pages: read once, and cached by browsers while they are the same."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).with_name("static")
PREFIX = "/static/"
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
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{digest}{dot}{suffix}"


def _names() -> list[str]:
    found = (path for path in sorted(FOLDER.rglob("*")) if path.suffix in TYPES)
    return [path.relative_to(FOLDER).as_posix() for path in found]


def _read(name: str) -> _File:
    content = (FOLDER / name).read_bytes()
    return _File(content, gzip.compress(content, 9, mtime=0), TYPES[Path(name).suffix])
