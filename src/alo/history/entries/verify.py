"""Find what has been damaged, changed, lost or added in an entry since its run ended."""

import os
from pathlib import Path
from typing import NamedTuple

from alo.history.entries.checksums import (
    ALTERED,
    CHECKSUMS,
    Checksum,
    content_checksum,
    read_checksums,
)
from alo.history.entries.seal import seal
from alo.history.entries.tree import FOLDER, found_below


class Damage(NamedTuple):
    """A file of an entry that is not as it was."""

    name: str
    what: str


def damage(entry: Path) -> list[Damage]:
    """Everything that is wrong with an entry; reads all of its files."""
    try:
        seal(entry)
        recorded = read_checksums(entry)
    except FileNotFoundError:
        return [Damage(CHECKSUMS, "is missing: nothing can be verified")]
    except (OSError, ValueError) as error:
        return [Damage(CHECKSUMS, f"cannot be read: {error}")]
    there = {found.name for found in found_below(entry) if found.kind != FOLDER}
    added = sorted(there - recorded.keys() - {CHECKSUMS})
    return [
        *(
            problem
            for name in sorted(recorded)
            if (problem := _problem(entry, name, recorded[name]))
        ),
        *(Damage(name, "was not there when the run ended") for name in added),
    ]


def _problem(entry: Path, name: str, recorded: Checksum) -> Damage | None:
    path = os.path.join(entry, name)
    if not os.path.lexists(path):
        return Damage(name, "is missing")
    if recorded.checksum == ALTERED:
        return Damage(name, f"was {ALTERED}")
    try:
        is_link = os.path.islink(path)
        if not is_link and os.path.getsize(path) != recorded.size:
            return Damage(name, f"has {os.path.getsize(path)} bytes instead of {recorded.size}")
        if content_checksum(path) != recorded.checksum:
            return Damage(name, "has other content")
    except OSError as error:
        return Damage(name, f"cannot be read: {error.strerror}")
    return None
