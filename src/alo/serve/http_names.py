"""Names that clients give to files."""

from __future__ import annotations

import re

LONGEST_NAME = 200  # bytes


class ReservedName(ValueError):
    """A name that leads somewhere else, or is none."""


def safe_name(name: str) -> str:
    """A file's name, if it leads nowhere else.

    Raises:
        ReservedName: it has a path in it, or is none.
    """
    odd = re.search(r"[/\\\x00-\x1f\x7f]", name)
    if odd or name.strip(". ") == "" or len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        raise ReservedName("the name of a file is empty, too long, or has a path in it")
    return name
