"""``/reviews/{name}/presence``: a page reports which record somebody looks at."""

from __future__ import annotations

from alo.ui.ask import Ask
from alo.ui.problems import refused_value
from alo.ui.rendering.page import Redirect
from alo.ui.screens.reviews.named import named


def report(ask: Ask) -> Redirect:
    """Others see it, as long as the page continues to report it."""
    review, record = named(ask), ask.text("record")
    if record and review.place_of(record) is None:
        raise refused_value("record", f"review '{review.name}' has no such record")
    ask.studio.presence.report(review.number, ask.who.name, record)
    return Redirect(f"/reviews/{review.name}/label", {"record": record})
