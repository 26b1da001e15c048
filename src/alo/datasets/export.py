"""A version of a data set as a folder or an archive of its own."""

from __future__ import annotations

import os
import tarfile
import zipfile
from pathlib import Path

from alo.copies import clone_or_copy
from alo.datasets.catalog import Version
from alo.errors import UsageError
from alo.files import remove_tree
from alo.real_names import real_names

ARCHIVES = (".zip", ".tar.gz", ".tgz")


def export_version(version: Version, target: Path) -> None:
    """Write a version to a folder that is not there yet, or to an archive by its ending.

    Raises:
        UsageError: there is something already.
        OSError: nothing of it is to be seen then.
    """
    if os.path.lexists(target):  # a link that leads nowhere, too
        raise UsageError(f"there is a '{target}' already", fix="name another, or remove it")
    new = target.with_name(f".{target.name}-{os.urandom(4).hex()}")
    try:
        with real_names({new: target}):
            if target.name.endswith(ARCHIVES):
                _write_archive(version.folder, new, target.name)
            else:
                _copy(version.folder, new)
            new.rename(target)
    except BaseException:
        remove_tree(new)
        raise


def _write_archive(folder: Path, new: Path, name: str) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".zip"):
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _files(folder):
                archive.write(path, path.relative_to(folder).as_posix())
        return
    with tarfile.open(new, "w:gz") as packed:
        for path in _files(folder):
            packed.add(path, path.relative_to(folder).as_posix())


def _copy(folder: Path, new: Path) -> None:
    for path in _files(folder):
        place = new / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        clone_or_copy(path, place)
        place.chmod(0o644)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]
