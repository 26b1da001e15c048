"""The files that are a step's code, and the id that identifies them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from alo.files import checksum_of

CACHES = frozenset(
    {
        "__pycache__",
        ".git",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    }
)


def code_files(assets: Path, step: str) -> dict[str, str]:
    """Name in the project → path, of every file in the step's folder but caches and git's own.

    A link to a folder of the project stands for that folder; one that leads out of the project, to
    a data set for instance, is not followed.

    Args:
        assets: the folder of the steps' folders.
    """
    found = _files_below(os.path.join(assets, step), f"assets/{step}/", assets.parent)
    return dict(sorted(found))


def _files_below(
    folder: str, prefix: str, home: Path, parents: tuple[str, ...] = ()
) -> Iterator[tuple[str, str]]:
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            name = entry.name
            if name in CACHES or name.endswith((".pyc", ".pyo")):
                continue
            if entry.is_file(follow_symlinks=False):
                yield f"{prefix}{name}", entry.path
                continue
            if not os.path.isdir(entry.path):  # unlike entry.is_dir(), at peace with any link
                if os.path.isfile(entry.path):
                    yield f"{prefix}{name}", entry.path
                continue
            if not parents:  # most assets have no folders, and links need not be looked up
                parents = (os.path.realpath(folder),)
            project = os.path.join(os.path.realpath(home), "")
            real = os.path.realpath(entry.path) if entry.is_symlink() else f"{parents[-1]}/{name}"
            if real in parents or not real.startswith((project, parents[0])):
                continue
            yield from _files_below(entry.path, f"{prefix}{name}/", home, (*parents, real))


def code_id(checksums: Mapping[str, str]) -> str:
    """12 hex digits over names and contents."""
    lines = "".join(f"{name}\0{checksums[name]}\n" for name in sorted(checksums))
    return checksum_of(lines.encode("utf-8", "surrogateescape"))[:12]
