"""What decides which packages come for requirements: it is the same wherever the project is."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from alo.files import checksum, checksum_of
from alo.masking import masked
from alo.sources.code.fingerprint import CACHES
from alo.sources.git.repositories import unquoted
from alo.sources.packages.requirements import Requirement, Wanted

MADE_BY_BUILDING = ("build", "dist")
NOTHING_OF = (".egg-info", ".dist-info", ".pyc")


def identity(wanted: Wanted) -> list[str]:
    """Lines that are equal where the same is wanted.

    The place of the project does not matter, nor do the tokens, often short-lived, of an index; the
    content of what is installed from this machine does.
    """
    lines = [masked(line) for line in (*wanted.options, *wanted.remote)]
    for each in (*wanted.requirements, *wanted.limits):
        lines += [each.line, *_content(each)]
    root = f"{wanted.root}/" if wanted.root else ""
    return [line.replace(root, "") if root else line for line in lines]


def newest(path: str) -> float:
    """When a file, or the newest in a folder, was changed last."""
    return max((os.stat(each).st_mtime for each in _files(path)), default=0.0)


def local_path(requirement: Requirement) -> str:
    """The file or folder that is installed, which is then known by its content; else empty.

    What is editable is used as it is at any time.
    """
    text = requirement.text.partition(" ;")[0]
    _, at, url = text.partition(" @ ")
    path = unquoted(url.partition("#")[0]) if at and url.startswith("file://") else text
    path = path if os.path.exists(path) else path.rpartition("[")[0]
    return path if path.startswith("/") and os.path.exists(path) else ""


def _content(requirement: Requirement) -> list[str]:
    path = local_path(requirement)
    return [_checksum(path, newest(path))] if path else []


@lru_cache(maxsize=256)
def _checksum(path: str, changed: float) -> str:
    """Of a file, or of all in a folder."""
    names = [f"{os.path.relpath(each, path)}\0{checksum(Path(each))}" for each in _files(path)]
    return checksum_of("\n".join(sorted(names)).encode("utf-8", "surrogateescape"))


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not _is_by_the_way(name)]
        found += [os.path.join(folder, name) for name in files if not _is_by_the_way(name)]
    return [each for each in found if os.path.isfile(each)]


def _is_by_the_way(name: str) -> bool:
    """Whether it is made by tools, and not what is installed."""
    return name in CACHES or name in MADE_BY_BUILDING or name.endswith(NOTHING_OF)
