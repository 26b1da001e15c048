"""The paths of data sets, candidates and traces."""

from __future__ import annotations

from alo.ui.routing.route import Route

LOOP_ROUTES: tuple[Route, ...] = ()
