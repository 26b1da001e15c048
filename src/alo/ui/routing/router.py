"""Finds the route of a path."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import compile_path

from alo.json_text import bad_character
from alo.serve.http_api.paths import decoded
from alo.ui.problems import UiError, not_found
from alo.ui.routing.route import Route
from alo.ui.routing.routes import ROUTES

FILE = "path"  # the part of a route that names a file


class Router:
    """The table of routes, compiled."""

    def __init__(self) -> None:
        self._routes = [(compile_path(route.path)[0], route) for route in ROUTES]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route, and what the path names.

        Raises:
            UiError: 404: there is no such path; 405: not with this method.
        """
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for pattern, route in self._routes:
            if (found := pattern.match(path)) is None:
                continue
            if route.method == wanted:
                return route, _names(found.groupdict())
            allowed.add(route.method)
        if allowed:
            raise UiError(405, f"{method} is not possible here; {', '.join(sorted(allowed))} is")
        raise not_found("there is no such page", fix="/ leads to all pages")


def _names(parts: Mapping[str, str]) -> Mapping[str, str]:
    """What a path names; of these only files may have names that are no text."""
    names = {name: "/".join(map(decoded, part.split("/"))) for name, part in parts.items()}
    for name, value in names.items():
        if name != FILE and (odd := bad_character(value)):
            raise not_found(f"nothing has such a name: {odd}")
    return names
