"""What is remembered of staged files, so that nothing is copied or read twice.

Losing it costs one more copy, never a wrong one: what does not fit the file on disk is not
believed.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from alo.files import is_leftover, write_whole
from alo.json_text import json_value, ordinary_bytes
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


class Glance(NamedTuple):
    """What shows whether anything has changed, without a look at single files."""

    key: str  # over the names and states of all files, the versions of their sources, checksums
    checksums: str  # in the order of names, spaces between them

    def is_of(
        self, copies: Sequence[Sequence[object]], sources: Sequence[Sequence[object]]
    ) -> bool:
        """Whether these columns, in the order of names, are what is remembered."""
        return bool(self.key) and self.key == _key_of(copies, sources, self.checksums)


def _key_of(
    copies: Sequence[Sequence[Any]], sources: Sequence[Sequence[Any]], checksums: str
) -> str:
    import xxhash

    digest = xxhash.xxh3_128(checksums.encode())
    for column in (*copies, *sources):
        content = _content(column)
        digest.update(f"\n{len(column)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _content(column: Sequence[Any]) -> bytes:
    """Texts or numbers as bytes."""
    if column and isinstance(column[0], str):
        return "\0".join(column).encode("utf-8", "surrogatepass")
    return _as_int64(column) or repr(tuple(column)).encode()


def read_glance(path: Path) -> Glance:
    """The first line of the file; what fits no files, if that is damaged or gone."""
    try:
        first, _, _ = ordinary_bytes(path).partition(b"\n")
        key, checksums = json_value(first.removeprefix(b"[").removesuffix(b","))
        return Glance(f"{key}", f"{checksums}")
    except (OSError, ValueError, TypeError):
        return Glance("", "")


def read_manifest(path: Path) -> Manifest:
    """What was remembered, by name; nothing if the file is damaged or gone."""
    try:
        _, newline, columns = ordinary_bytes(path).rpartition(b"\n")
        if newline:  # an earlier version has the columns alone, in one line
            columns = columns.removesuffix(b"]")
        names, checksums, states, sourced, versions = json_value(columns)
        sourced = names if sourced is None else sourced
        states = [_unpacked(column) for column in states or [[]] * 3]
        versions = [*map(_unpacked, versions[:2]), versions[2]] if versions else [[]] * 3
        "".join(names), "".join(sourced)  # nothing but text
        return Manifest(
            dict(zip(sourced, zip(*versions, strict=True), strict=True)),
            dict(zip(names, zip(*states, strict=True), strict=True)),
            dict(zip(names, checksums, strict=True)),
        )
    except (OSError, ValueError, TypeError, LookupError):
        return Manifest.empty()


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Remember these; also removes what a killed process left of an earlier try."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in os.listdir(path.parent):
        if is_leftover(name) and name.startswith(f".{path.name}."):
            (path.parent / name).unlink(missing_ok=True)
    names, sourced = sorted(manifest.copies), sorted(manifest.sources)
    checksums = [manifest.checksums[name] for name in names]
    states = list(zip(*(manifest.copies[name] for name in names), strict=True)) or [()] * 3
    versions = list(zip(*(manifest.sources[name] for name in sourced), strict=True)) or [()] * 3
    columns = [
        names,
        checksums,
        [_packed(column) for column in states],
        None if sourced == names else sourced,
        [*map(_packed, versions[:2]), *versions[2:]],
    ]
    joined = " ".join(checksums)
    key = _key_of([names, *states], [sourced, *versions], joined)
    # A line each, so that the first can be read without the other.
    first, second = (json.dumps(line).encode() for line in ([key, joined], columns))
    write_whole(path, b"[%b,\n%b]" % (first, second), durable=False)


def _packed(numbers: Sequence[int]) -> str | Sequence[int]:
    """Text that is read in a tenth of the time that digits take."""
    from binascii import b2a_base64

    content = _as_int64(numbers)
    return numbers if content is None else b2a_base64(content, newline=False).decode()


def _as_int64(numbers: Sequence[int]) -> bytes | None:
    """None if one is larger: a time after 2262."""
    import struct

    try:
        return struct.pack(f"{len(numbers)}q", *numbers)
    except struct.error:
        return None


def _unpacked(column: str | Sequence[int]) -> Sequence[int]:
    from binascii import a2b_base64

    return memoryview(a2b_base64(column)).cast("q") if isinstance(column, str) else column
