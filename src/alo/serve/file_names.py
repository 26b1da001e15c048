"""Names that clients give to files."""

from __future__ import annotations

import os
import re

LONGEST = 200  # bytes


class ReservedNameError(ValueError):
    """A name that leads somewhere else, or is none."""


def checked_file_name(name: str) -> str:
    """A file's name, if it leads nowhere else.

    Raises:
        ReservedNameError: it has a path in it, or is none.
    """
    try:
        size = len(os.fsencode(name))
    except UnicodeEncodeError:
        size = 0
    if re.search(r"[/\\\x00-\x1f\x7f]", name) or name.strip(". ") == "" or not 0 < size <= LONGEST:
        raise ReservedNameError("the name of a file is empty, too long, or has a path in it")
    return name
