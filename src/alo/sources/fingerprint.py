"""The files that are a step's code, and the id that stands for them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alo.files import checksum, checksum_of

CACHES = frozenset({"__pycache__", ".git", ".ipynb_checkpoints"})


def code_files(assets: Path, step: str) -> dict[str, Path]:
    """Every file in the step's folder but caches and git's own, by its name in the project.

    Args:
        assets: the folder of the steps' folders.
    """
    folder = str(assets / step)
    found: dict[str, Path] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in CACHES)
        inside = os.path.relpath(parent, folder)
        prefix = f"assets/{step}/" if inside == "." else f"assets/{step}/{inside}/"
        for name in sorted(names):
            path = Path(parent, name)
            if not name.endswith((".pyc", ".pyo")) and path.is_file():
                found[f"{prefix}{name}"] = path
    return found


def code_checksums(files: Mapping[str, Path]) -> dict[str, str]:
    """xxh3-128 of each file."""
    return {name: checksum(path) for name, path in files.items()}


def code_id(checksums: Mapping[str, str]) -> str:
    """12 hex digits over names and contents."""
    lines = "".join(f"{name}\0{checksums[name]}\n" for name in sorted(checksums))
    return checksum_of(lines.encode("utf-8", "surrogateescape"))[:12]
