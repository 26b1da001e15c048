"""Paths of URLs: names in them are percent-encoded, and are separated before they are decoded.

Servers hand a path over decoded, where a slash in a name is like one between names, and bytes
that are not UTF-8 are lost. So routes are looked up in the path as it was sent.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

if TYPE_CHECKING:
    from starlette.types import Scope


def encoded(name: str) -> str:
    """A name, of a file or a model, as a part of a URL's path."""
    return quote_from_bytes(os.fsencode(name), safe="")


def decoded(part: str) -> str:
    """The name that is a part of a URL's path."""
    return os.fsdecode(unquote_to_bytes(part))


def path_as_sent(scope: Scope) -> str:
    """The path of a request as it was sent, each part encoded in one way.

    A slash at its end says nothing: no name is empty.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        return str(scope["path"])
    path = raw.decode("latin-1").partition("?")[0].rstrip("/")
    if "%" in path:
        parts = [unquote_to_bytes(part) for part in path.split("/")]
        path = "/".join(quote_from_bytes(part, safe="") for part in parts)
    return path or "/"
