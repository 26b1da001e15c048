"""What is remembered of staged files, so that nothing is copied or read twice.

Losing it costs one more copy, never a wrong one: what does not fit the file on disk is not
believed.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from alo.files import is_leftover, write_whole
from alo.json_text import json_value

Version: TypeAlias = tuple[int, int, str]  # of a source: size, mtime_ns, etag
State: TypeAlias = tuple[int, int, int]  # of a file here: size, mtime_ns, ctime_ns


class Manifest(NamedTuple):
    """The files in ``input/<kind>/`` by name. One that a user put there has no source."""

    sources: dict[str, Version]
    copies: dict[str, State]  # ctime changes with every write, even one that sets the time back
    checksums: dict[str, str]

    @classmethod
    def empty(cls) -> "Manifest":
        """Nothing is known of any file."""
        return cls({}, {}, {})

    def only(self, names: Iterable[str]) -> "Manifest":
        """What is known of these files."""
        kept = [name for name in names if name in self.copies]
        return Manifest(
            {name: self.sources[name] for name in kept if name in self.sources},
            {name: self.copies[name] for name in kept},
            {name: self.checksums[name] for name in kept},
        )

    def add(self, name: str, state: State, checksum: str, source: Version | None = None) -> None:
        """Remember a staged file; without ``source`` it is one that the user put there."""
        self.copies[name], self.checksums[name] = state, checksum
        if source:
            self.sources[name] = source


def state_of(status: os.stat_result) -> State:
    """What differs as soon as a file here has changed."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def read_manifest(path: Path) -> Manifest:
    """What was remembered; nothing if the file is damaged or gone."""
    try:
        names, checksums, copies, sourced, sources = json_value(path.read_bytes())
        return Manifest(
            dict(zip(sourced, zip(*sources, strict=True), strict=True)),
            dict(zip(names, zip(*copies, strict=True), strict=True)),
            dict(zip(names, checksums, strict=True)),
        )
    except (OSError, ValueError, TypeError):
        return Manifest.empty()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Remember these; also removes what a killed process left of an earlier try."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(path.parent):
        if is_leftover(name) and name.startswith(f".{path.name}."):
            (path.parent / name).unlink(missing_ok=True)
    columns = [  # read in half of the time that rows take
        list(manifest.copies),
        [manifest.checksums[name] for name in manifest.copies],
        list(zip(*manifest.copies.values(), strict=True)),
        list(manifest.sources),
        list(zip(*manifest.sources.values(), strict=True)),
    ]
    write_whole(path, json.dumps(columns).encode(), durable=False)
