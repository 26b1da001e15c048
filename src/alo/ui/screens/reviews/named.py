"""The review that a path names, and what a browser calls it that keeps decisions on it."""

from __future__ import annotations

from alo.errors import UsageError
from alo.review.reviews import Reviews
from alo.review.rows import Review
from alo.ui.ask import Ask
from alo.ui.problems import not_found


def named(ask: Ask) -> Review:
    """The review.

    Raises:
        UiError: 404: there is none of that name.
    """
    try:
        return Reviews(ask.studio.database).get(ask.names["name"])
    except UsageError as error:
        about = f"review {ask.names['name']}"
        raise not_found(error.what, fix="/reviews lists them", about=about) from error


def kept_as(ask: Ask, review: Review) -> str:
    """What is another of another project's review, or of one that had the name before."""
    return f"{ask.studio.workspace.home.name}/{review.name}/{review.created}"
