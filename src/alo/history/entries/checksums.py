"""``log/checksums.json`` of an entry: what each of its files has to be, so that damage is found.

A checksum that is not known yet is empty; ``seal.py`` fills it in.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from alo.files import checksum, checksum_of, write_whole
from alo.named_tuples import NamedTuple

CHECKSUMS = "log/checksums.json"
ALTERED = "altered before its checksum was taken"  # stands for a checksum that no content has


class Checksum(NamedTuple):
    """A file as it was when the entry was made; of a link, ``checksum`` is that of its target."""

    size: int
    mtime_ns: int
    checksum: str = ""  # empty: not known yet


def read_checksums(entry: Path) -> dict[str, Checksum]:
    """The recorded checksums by name.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file is damaged.
    """
    from alo.json_text import json_file

    try:
        content = json_file(entry / CHECKSUMS)
        return {
            str(name): Checksum(int(each["size"]), int(each["mtime_ns"]), str(each["checksum"]))
            for name, each in content.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{CHECKSUMS} is damaged") from error


def write_checksums(entry: Path, checksums: Mapping[str, Checksum]) -> None:
    """Write all of them, whole or not at all."""
    import json

    content = {name: each._asdict() for name, each in checksums.items()}
    write_whole(entry / CHECKSUMS, json.dumps(content).encode(), durable=False)


def amend(entry: Path, name: str, content: bytes) -> None:
    """Put another content in the place of a file of an entry that is in no history yet.

    Raises:
        OSError: there is no room.
        ValueError: the list of checksums is damaged.
    """
    write_whole(entry / name, content, durable=False)
    taken = stamp(os.fspath(entry / name), checksum_of(content))
    write_checksums(entry, {**read_checksums(entry), name: taken})


def stamp(path: str, checksum: str = "") -> Checksum:
    """The file or link as it is now; of a link, always with the checksum."""
    if os.path.islink(path):
        return Checksum(0, 0, content_checksum(path))
    status = os.stat(path)
    return Checksum(status.st_size, status.st_mtime_ns, checksum)


def content_checksum(path: str) -> str:
    """Of what is in the file, or of where the link points to."""
    if os.path.islink(path):
        return checksum_of(os.fsencode(os.readlink(path)))
    return checksum(Path(path))
