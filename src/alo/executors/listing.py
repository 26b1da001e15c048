"""What is in a folder, and the digest over it: the same for the same names and contents."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import xxhash

from alo.files import checksum
from alo.history.entries.tree import FILE, FOLDER, LINK, Found, found_below

OWNER_RUNS = 0o100
FORM = 1


class Item(NamedTuple):
    """Something in a folder."""

    name: str  # relative, with slashes
    kind: str
    size: int = 0
    content: str = ""  # of a file its checksum; what a link says
    is_executable: bool = False


class Listing(NamedTuple):
    """A whole folder, in the order of names."""

    items: tuple[Item, ...]

    @property
    def content(self) -> bytes:
        """The listing as bytes, the same for the same folder."""
        stored = {"form": FORM, "items": [list(each) for each in self.items]}
        return json.dumps(stored, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """32 hex digits over names, contents and what may be executed; not over times."""
        return xxhash.xxh3_128_hexdigest(self.content)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.items)

    def files_by_content(self, folder: Path) -> Mapping[str, Path]:
        """Where its files are in this folder, by their checksums."""
        return {each.content: folder / each.name for each in self.items if each.kind == FILE}

    @classmethod
    def of_content(cls, content: bytes) -> Listing:
        """What ``content`` has made bytes of.

        Raises:
            ValueError: it is no listing.
        """
        stored = json.loads(content)
        if not isinstance(stored, dict) or stored.get("form") != FORM:
            raise ValueError("another version of ALO made the listing")
        return cls(tuple(Item(*each) for each in stored["items"]))


def list_folder(folder: Path) -> Listing:
    """List a folder, for which all of its files are read.

    Raises:
        OSError: something cannot be read.
    """
    if not folder.is_dir():
        raise NotADirectoryError(20, "it is no folder", str(folder))
    return listing_of(found_below(folder))


def listing_of(found: Iterable[Found]) -> Listing:
    """The listing of what was found.

    Raises:
        OSError: something cannot be read.
    """
    return Listing(tuple(sorted(map(_item, found))))


def _item(found: Found) -> Item:
    if found.kind == FOLDER:
        return Item(found.name, FOLDER)
    if found.kind == LINK:
        return Item(found.name, LINK, content=os.readlink(found.path))
    status = found.status or os.stat(found.path)
    content = checksum(Path(found.path))
    return Item(found.name, FILE, found.size, content, bool(status.st_mode & OWNER_RUNS))
