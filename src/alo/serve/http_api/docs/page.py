"""The page at ``/docs``: a frame, styles and scripts, which are the same for each service.

What it shows of a service comes from its ``/openapi.json``, which the page asks for with the
token that its reader has typed. So the frame may be sent to anyone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("static")
FRAME = "docs.html"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
POLICY = (  # nothing from outside, no script or style but those of files
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class PageFile(NamedTuple):
    """A part of the page."""

    content: bytes
    media_type: str


def page_file(name: str) -> PageFile | None:
    """A part of the page, the frame by its name too; None: there is none of this name."""
    return _parts().get(name)


@cache
def _parts() -> dict[str, PageFile]:
    return {
        path.name: PageFile(path.read_bytes(), TYPES[path.suffix])
        for path in FOLDER.iterdir()
        if path.suffix in TYPES
    }
