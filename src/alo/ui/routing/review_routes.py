"""The paths of reviews: their screens, and what is decided."""

from __future__ import annotations

from alo.ui.routing.route import Route

REVIEW_ROUTES: tuple[Route, ...] = ()
