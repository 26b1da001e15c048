"""What is remembered of staged files, so that nothing is copied or read twice.

Losing it costs one more copy, never a wrong one: what does not fit the file on disk is not
believed.
"""

import json
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from alo.files import is_leftover, write_whole
from alo.json_text import json_file
from alo.named_tuples import NamedTuple

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


class Columns(NamedTuple):
    """What is remembered, a column for each thing: all that is needed where nothing has changed."""

    names: Sequence[str]
    checksums: Sequence[str]
    states: Sequence[Sequence[int]]  # sizes, mtimes, ctimes
    sourced: Sequence[str]  # the names of those that have a source
    versions: Sequence[Sequence[int | str]]  # sizes, mtimes, ETags

    def is_of_copies(self, found: Sequence[Sequence[object]]) -> bool:
        """Whether these columns are the names and states of all files, in their order here."""
        return all(map(_are_equal, found, (self.names, *self.states)))

    def is_of_sources(self, found: Sequence[Sequence[object]]) -> bool:
        """Whether they are the names and versions of all that have a source, in that order."""
        return all(map(_are_equal, found, (self.sourced, *self.versions)))

    @property
    def foreign(self) -> tuple[str, ...]:
        """The names of those that a user put there."""
        if len(self.names) == len(self.sourced):
            return ()
        return tuple(sorted(set(self.names).difference(self.sourced)))

    def manifest(self) -> Manifest:
        """To look single files up, and to change."""
        names, states = self.names, zip(*self.states, strict=True)
        return Manifest(
            dict(zip(self.sourced, zip(*self.versions, strict=True), strict=True)),
            dict(zip(names, states, strict=True)),
            dict(zip(names, self.checksums, strict=True)),
        )


def _are_equal(one: Sequence[object], other: Sequence[object]) -> bool:
    return list(one) == (other.tolist() if isinstance(other, memoryview) else list(other))


NOTHING = Columns([], [], [[]] * 3, [], [[]] * 3)


def read_columns(path: Path) -> Columns:
    """What was remembered; nothing if the file is damaged or gone."""
    try:
        names, checksums, states, sourced, versions = json_file(path)
        sourced = names if sourced is None else sourced
        columns = Columns(
            names,
            checksums,
            [_unpacked(column) for column in states or NOTHING.states],
            sourced,
            [*map(_unpacked, versions[:2]), versions[2]] if versions else NOTHING.versions,
        )
        "".join(names), "".join(sourced)  # nothing but text
        lengths = [{len(each) for each in (names, checksums, *columns.states)}]
        lengths.append({len(each) for each in (sourced, *columns.versions)})
    except (OSError, ValueError, TypeError, LookupError):
        return NOTHING
    return columns if all(len(each) == 1 for each in lengths) else NOTHING


def read_manifest(path: Path) -> Manifest:
    """What was remembered, by name."""
    return read_columns(path).manifest()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Remember these; also removes what a killed process left of an earlier try."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(path.parent):
        if is_leftover(name) and name.startswith(f".{path.name}."):
            (path.parent / name).unlink(missing_ok=True)
    names, sourced = sorted(manifest.copies), sorted(manifest.sources)
    states = list(zip(*(manifest.copies[name] for name in names), strict=True))
    versions = list(zip(*(manifest.sources[name] for name in sourced), strict=True))
    columns = [
        names,
        [manifest.checksums[name] for name in names],
        [_packed(column) for column in states],
        None if sourced == names else sourced,
        [*map(_packed, versions[:2]), *versions[2:]],
    ]
    write_whole(path, json.dumps(columns).encode(), durable=False)


def _packed(numbers: Sequence[int]) -> str | Sequence[int]:
    """Text that is read in a tenth of the time that digits take."""
    import struct

    try:
        content = struct.pack(f"{len(numbers)}q", *numbers)
    except struct.error:  # a time after 2262
        return numbers
    return b2a_base64(content, newline=False).decode()


def _unpacked(column: str | Sequence[int]) -> Sequence[int]:
    return memoryview(a2b_base64(column)).cast("q") if isinstance(column, str) else column
