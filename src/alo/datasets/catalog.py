"""The data sets of a project: ``datasets/<name>/<version>/``; found, checked, removed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alo.datasets.manifest import (
    MANIFEST,
    ROWS,
    DatasetFile,
    Manifest,
    checksum_of,
    files_of,
    id_of,
    read_manifest,
)
from alo.datasets.rows import TEST, TRAIN
from alo.errors import DatasetError, UsageError
from alo.files import remove_tree
from alo.json_text import ordinary_bytes
from alo.layout import Workspace
from alo.real_names import real_names
from alo.texts import check_plain_name, is_plain_name

_VERSION = re.compile(r"v([1-9]\d{0,8})\Z")


def is_reference(text: str) -> bool:
    """Whether a text is how a version is called: NAME@V."""
    name, _, version = text.rpartition("@")
    return is_plain_name(name) and _VERSION.match(version) is not None


@dataclass(frozen=True, slots=True)
class Version:
    """A version and where it is."""

    folder: Path
    manifest: Manifest

    @property
    def train_folder(self) -> Path:
        """What a model learns from."""
        return self.folder / TRAIN

    @property
    def test_folder(self) -> Path:
        """The input of an inference that tests a model."""
        return self.folder / TEST

    @property
    def train_paths(self) -> list[Path]:
        """The folders to train on, in the order in which the plan names its own."""
        return [self.train_folder / name for name in self.manifest.base_folders]


class Catalog:
    """All data sets of a project."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.home / "datasets"

    def names(self) -> list[str]:
        """Of the data sets that have a version."""
        if not self.folder.is_dir():
            return []
        return [each.name for each in sorted(self.folder.iterdir()) if self.versions(each.name)]

    def versions(self, name: str) -> list[str]:
        """Of one data set, the oldest first."""
        folder = self.folder / name
        if not is_plain_name(name) or not folder.is_dir():
            return []
        numbers = [
            int(found[1]) for each in folder.iterdir() if (found := _VERSION.match(each.name))
        ]
        return [f"v{number}" for number in sorted(numbers)]

    def find(self, reference: str) -> Version:
        """The version that NAME@V means; NAME alone: its newest.

        Raises:
            UsageError: there is none.
            DatasetError: its manifest is damaged.
        """
        name, at, version = reference.partition("@")
        versions = self.versions(name)
        if not versions:
            raise UsageError(
                f"there is no data set '{name}'",
                fix=f"data sets: {', '.join(self.names()) or 'none; alo dataset make NAME'}",
            )
        if at and version not in versions:
            raise UsageError(
                f"data set '{name}' has no version '{version}'", fix=f"{', '.join(versions)}"
            )
        folder = self.folder / name / (version or versions[-1])
        return Version(folder, read_manifest(folder))

    def find_whole(self, reference: str) -> Version:
        """As ``find``, a version that is as it was made: to learn from.

        Raises:
            UsageError: there is none.
            DatasetError: it is damaged.
        """
        version = self.find(reference)
        for each in verify(version):
            raise DatasetError(
                f"data set {version.manifest.reference} is damaged: {each.path} {each.what}",
                where=str(version.folder),
                fix=f"alo dataset verify {version.manifest.reference} names all of it;"
                " restore it from a backup, or make the next version",
            )
        return version

    def all(self) -> Iterator[Version]:
        """Every version, by name, the newest first; damaged ones are left out."""
        for folder in self.references().values():
            with suppress(DatasetError):
                yield Version(folder, read_manifest(folder))

    def references(self) -> dict[str, Path]:
        """NAME@V of every version, damaged ones included, with its folder; in the same order."""
        return {
            f"{name}@{version}": self.folder / name / version
            for name in self.names()
            for version in reversed(self.versions(name))
        }

    def remove(self, version: Version) -> None:
        """Delete a version."""
        name = version.folder.parent
        gone = name / f".gone-{os.urandom(6).hex()}"
        with real_names({gone: version.folder}):
            version.folder.rename(gone)  # absent at once, however long the rest takes
        make_writable(gone)
        remove_tree(gone)


def check_name(name: str) -> None:
    """Raises ``UsageError`` if no data set can be called so: it is a folder's name."""
    check_plain_name(name, "data set")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file of a version that is not as it was made."""

    path: str
    what: str  # changed, missing or added


def verify(version: Version) -> list[Problem]:
    """What of a version is not as its manifest says, and whether that is as it was written."""
    recorded = {each.path: each for each in version.manifest.files}
    found = {each.path: each for each in files_of(version.folder)}
    problems = [
        Problem(path, what)
        for path in sorted(recorded.keys() | found.keys())
        if (what := _difference(recorded.get(path), found.get(path)))
    ]
    problems += [Problem(path, "added") for path in _links_and_others(version.folder)]
    if not _is_own(version, is_readable=not any(each.path == ROWS for each in problems)):
        problems.append(Problem(MANIFEST, "changed"))
    return problems


def _links_and_others(folder: Path) -> Iterator[str]:
    """What no version has: links, whatever they lead to, pipes and devices."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            yield path.relative_to(folder).as_posix()


def _is_own(version: Version, *, is_readable: bool) -> bool:
    """Whether a manifest is that of its version, and says what it was written with."""
    manifest, folder = version.manifest, version.folder
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        return False
    if manifest.checksum and manifest.checksum != checksum_of(manifest):
        return False
    if not is_readable:  # then its rows cannot show it
        return True
    try:
        return manifest.id == id_of(manifest.files, ordinary_bytes(folder / ROWS))
    except OSError:
        return False


def _difference(recorded: DatasetFile | None, found: DatasetFile | None) -> str:
    if recorded is None:
        return "added"
    if found is None:
        return "missing"
    return "" if recorded == found else "changed"


def make_writable(folder: Path) -> None:
    """Let a version be deleted: its folders may not be written to."""
    for path, folders, _ in os.walk(folder):
        for each in (path, *(os.path.join(path, name) for name in folders)):
            os.chmod(each, 0o755)  # noqa: S103 - a folder


def make_read_only(folder: Path) -> None:
    """A version is never changed: neither its files nor its folders may be written to."""
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            os.chmod(os.path.join(path, name), 0o444)
        os.chmod(path, 0o555)  # noqa: S103 - a folder
