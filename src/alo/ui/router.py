"""Finds the route of a path."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import compile_path

from alo.serve.http_api.paths import decoded
from alo.ui.problems import UiProblem, not_found
from alo.ui.routes import ROUTES, Route


class Router:
    """The table of routes, compiled."""

    def __init__(self) -> None:
        self._routes = [(compile_path(route.path)[0], route) for route in ROUTES]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """The route, and what the path names.

        Raises:
            UiProblem: 404: there is no such path; 405: not with this method.
        """
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for pattern, route in self._routes:
            if (found := pattern.match(path)) is None:
                continue
            if route.method == wanted:
                return route, {
                    name: "/".join(map(decoded, part.split("/")))
                    for name, part in found.groupdict().items()
                }
            allowed.add(route.method)
        if allowed:
            raise UiProblem(405, f"{method} is not possible here; {', '.join(sorted(allowed))} is")
        raise not_found("there is no such page", fix="/ leads to all pages")
