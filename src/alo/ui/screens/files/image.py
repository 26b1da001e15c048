"""``/runs/{id}/files/{path}`` of a picture, and the thumbnails that other screens show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alo.ui.ask import Ask
from alo.ui.problems import UiError
from alo.ui.readers.pictures import KIND, NoPillowError, Picture
from alo.ui.rendering.page import FileAnswer, Page

LEAST_SIDE, MOST_SIDE = 16, 1024  # pixels


def show(ask: Ask, name: str, path: Path, frame: Mapping[str, object]) -> Page:
    """A picture with what is known of it; one that cannot be decoded says why.

    Args:
        frame: what its template shows around it.
    """
    ask.query.allow()
    try:
        picture = ask.studio.pictures.facts(path)
    except NoPillowError as error:
        picture = Picture(0, 0, "", "", [f"{error.what}: {error.fix}"])
    content = {
        "path": name,
        "size": path.stat().st_size,
        "type": "image",
        "width": picture.width,
        "height": picture.height,
        "format": picture.kind,
        "notes": [picture.problem, *picture.notes] if picture.problem else picture.notes,
    }
    return Page("image", name, content, {**frame, "is_shown": not picture.problem}, folder="files/")


def thumbnail(ask: Ask, path: Path, name: str) -> FileAnswer:
    """A small copy of a picture.

    Raises:
        UiError: 422: it cannot be decoded; 501: Pillow is not installed.
    """
    side = ask.query.number("thumb", 256, LEAST_SIDE, MOST_SIDE)
    try:
        made = ask.studio.pictures.thumbnail(path, side)
        if made is None:
            raise UiError(422, f"{name}: {ask.studio.pictures.facts(path).problem}")
    except NoPillowError as error:
        raise UiError(501, error.what, fix=error.fix) from error
    # The cache names it by what it was made of.
    return FileAnswer(made, f"{name}.webp", KIND, version=made.stem)
