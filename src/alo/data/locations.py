"""Where data comes from: the files behind the plan's external paths, listed before anything is copied."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from alo.errors import AloError

REMOTE_SCHEMES = ("s3://", "gs://", "az://", "http://", "https://")


class BadLocation(AloError):
    """An external path cannot be used; says which and why."""

    exit_status = 2


class SourceFile(NamedTuple):
    """One file to be staged."""

    path: str  # absolute
    name: str  # below input/<kind>/, with / between parts
    size: int
    mtime_ns: int


def is_remote(path: str) -> bool:
    return path.startswith(REMOTE_SCHEMES)


def resolve(home: Path, path: str) -> Path:
    """A plan's local path as an absolute one; relative means relative to the project.

    Raises:
        BadLocation: if the path is remote.
    """
    if is_remote(path):
        raise BadLocation(
            f"{path}: remote locations come with a later version",
            fix="use a local folder for now",
        )
    return Path(os.path.normpath(home / os.path.expanduser(path)))


def list_sources(home: Path, paths: Sequence[str], target: Path) -> list[SourceFile]:
    """Every file of a run's data sources, in the order of their names.

    Args:
        paths: as the plan writes them.
        target: the folder they will be staged into, which no source may hold or lie in.
    Raises:
        BadLocation: the first thing that is wrong with one of them.
    """
    owners: dict[str, str] = {}
    files: list[SourceFile] = []
    for path in paths:
        source = resolve(home, path)
        name = source.name
        _refuse_overlap(path, source, target)
        if name in owners:
            raise BadLocation(
                f"{owners[name]} and {path} have the same last name '{name}', and would be staged into one folder",
                fix="rename one of the two folders",
            )
        owners[name] = path
        files += _walk(source, name, path)
    return sorted(files, key=lambda file: file.name)


def _refuse_overlap(path: str, source: Path, target: Path) -> None:
    real, inside = os.path.realpath(source), os.path.realpath(target)
    if not source.name or os.path.commonpath([real, inside]) in (real, inside):
        raise BadLocation(
            f"{path} overlaps {target}, the folder that data is staged into",
            fix="give a folder outside of input/, or leave the path empty to use what is in input/",
        )


def _walk(source: Path, name: str, path: str) -> Iterator[SourceFile]:
    try:
        status = os.stat(source)
    except OSError as error:
        raise BadLocation(
            f"{path}: {_reason(error)}",
            where=str(source),
            fix="correct the path; a relative one starts at the project's folder",
        ) from error
    if stat.S_ISDIR(status.st_mode):
        yield from _walk_folder(str(source), name, frozenset())
    else:
        yield _file(str(source), name, status)


def _walk_folder(folder: str, name: str, above: frozenset[str]) -> Iterator[SourceFile]:
    real = os.path.realpath(folder)
    if real in above:
        raise BadLocation(f"{folder}: a link that leads back to a folder above it")
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                below = f"{name}/{entry.name}"
                if entry.is_dir():
                    yield from _walk_folder(entry.path, below, above | {real})
                else:
                    yield _file(entry.path, below, entry.stat())
    except OSError as error:
        raise BadLocation(f"{error.filename or folder}: {_reason(error)}") from error


def _file(path: str, name: str, status: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        raise BadLocation(f"{path}: neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise BadLocation(f"{path}: no permission to read it")
    return SourceFile(path, name, status.st_size, status.st_mtime_ns)


def _reason(error: OSError) -> str:
    return "does not exist" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
