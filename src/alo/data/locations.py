"""Where data comes from: the files behind the plan's external paths, listed before a copy."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path

from alo.data.location import (
    NO_PROFILE,
    Access,
    LocationError,
    RemoteLocation,
    SourceFile,
    locate,
)
from alo.files import entries_of, many_objects, real_path

READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
MODE_BITS = stat.S_IFMT(0xFFFF) | READABLE_BY_ALL
USUAL_MODE = stat.S_IFREG | READABLE_BY_ALL  # among those bits: a file that may be read


def list_sources(
    home: Path, paths: Sequence[str], target: Path, access: Access = NO_PROFILE
) -> list[SourceFile]:
    """Every file of a run's data sources, in the order of their names.

    Args:
        paths: as the plan writes them.
        target: the folder they will be staged into, which no source may hold or lie in.
    Raises:
        LocationError: the first thing that is wrong with one of them.
    """
    with many_objects():
        files: list[SourceFile] = []
        for found in list_by_source(home, paths, target, access):
            files += found
        files.sort(key=attrgetter("name"))
        return files


def list_by_source(
    home: Path, paths: Sequence[str], target: Path, access: Access = NO_PROFILE
) -> Iterator[list[SourceFile]]:
    """The files of each source, in the order in which the sources are given.

    Raises:
        LocationError: the first thing that is wrong with one of them.
    """
    owners: dict[str, str] = {}
    for path in paths:
        source = locate(home, path, access)
        if not isinstance(source, RemoteLocation):
            _claim_name(source.name, path, owners)
            _refuse_overlap(path, source, target)
            yield _walk(source, path)
        elif source.is_http:  # whose server may name the file
            found = _list_remote(source)
            _claim_name(found[0].name, path, owners)
            yield found
        else:
            _claim_name(source.name, path, owners)
            yield _list_remote(source)


def _claim_name(name: str, path: str, owners: dict[str, str]) -> None:
    if name in owners:
        raise LocationError(
            f"{owners[name]} and {path} have the same last name '{name}', "
            "and would be staged into one place",
            fix="rename one of the two",
        )
    owners[name] = path


def _list_remote(source: RemoteLocation) -> list[SourceFile]:
    from alo.data.remote.locations import list_files

    if source.name in ("", ".", "..") and "?" not in source.url:
        raise LocationError(f"{source}: names no folder or file in the store", fix="add its path")
    return list_files(source)


def _refuse_overlap(path: str, source: Path, target: Path) -> None:
    real, inside = real_path(source), real_path(target)
    if not source.name or os.path.commonpath([real, inside]) in (real, inside):
        raise LocationError(
            f"{path} overlaps {target}, the folder that data is staged into",
            fix="give a folder outside of input/, or leave the path empty to use what is in input/",
        )


def _walk(source: Path, path: str) -> list[SourceFile]:
    try:
        status = os.stat(source)
    except OSError as error:
        raise LocationError(
            f"{path}: {_reason(error)}",
            where=str(source),
            fix="correct the path; a relative one starts at the project's folder",
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        return [_file(str(source), source.name, status)]
    files: list[SourceFile] = []
    _walk_folder(str(source), source.name, (), files)
    return files


def _walk_folder(
    folder: str, name: str, above: tuple[tuple[int, int], ...], files: list[SourceFile]
) -> None:
    before = len(files)
    path, prefix = f"{folder}/", f"{name}/"
    folders = []
    make = tuple.__new__  # as SourceFile(...) does, in a quarter of the time
    try:
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise LocationError(f"{folder}: a link that leads back to a folder above it")
        with entries_of(folder) as entries:
            for entry in entries:
                here, found = entry.name, entry.stat()
                if found.st_mode & MODE_BITS == USUAL_MODE:  # no call for each of many files
                    values = (path + here, prefix + here, found.st_size, found.st_mtime_ns, "")
                    files.append(make(SourceFile, values))
                elif stat.S_ISDIR(found.st_mode):
                    folders.append(here)
                else:
                    files.append(_file(path + here, prefix + here, found))
    except OSError as error:
        raise LocationError(f"{error.filename or folder}: {_reason(error)}") from error
    for here in folders:
        _walk_folder(path + here, prefix + here, (*above, identity), files)
    if len(files) == before:
        files.append(SourceFile(folder, prefix, 0, 0))


def _file(path: str, name: str, status: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        raise LocationError(f"{path}: neither a file nor a folder")
    is_open = status.st_mode & READABLE_BY_ALL == READABLE_BY_ALL
    if not is_open and not os.access(path, os.R_OK, effective_ids=True):
        raise LocationError(f"{path}: no permission to read it")
    return SourceFile(path, name, status.st_size, status.st_mtime_ns)


def _reason(error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return error.strerror or str(error)
    is_link = error.filename and os.path.islink(error.filename)
    return "a link to something that does not exist" if is_link else "does not exist"
