"""What fails in a file or folder of a temporary name says what that was to become, or was made of.

Whoever reads the error knows that one, and it is there to be looked at; the other is gone by then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from alolib.errors import AloError


@contextmanager
def real_names(names: Mapping[Path, Path]) -> Iterator[None]:
    """Errors of the block name other paths.

    Args:
        names: temporary path -> the one that people know; of two that fit, the first one counts.
    """
    try:
        yield
    except (AloError, OSError) as error:
        name_really(error, names)
        raise


def name_really(error: BaseException, names: Mapping[Path, Path]) -> None:
    """Change what an error says of temporary paths, and of what is below them."""
    if isinstance(error, AloError):
        error.what, error.where, error.fix = (
            _named(text, names) for text in (error.what, error.where, error.fix)
        )
        error.args = (error.what, *error.args[1:])
    elif isinstance(error, OSError):
        _name_file(error, names)


def _name_file(error: OSError, names: Mapping[Path, Path]) -> None:
    if error.filename is not None:
        error.filename = _named(_text(error.filename), names)
    if error.filename2 is not None:
        error.filename2 = _named(_text(error.filename2), names)
        if error.filename2 == error.filename:  # it was to be renamed to what it is called now
            del error.filename2


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else str(name)


def _named(text: str, names: Mapping[Path, Path]) -> str:
    for temporary, known in names.items():
        text = text.replace(str(temporary), str(known))
    return text
