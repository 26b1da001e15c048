"""Where data comes from: the files behind the plan's external paths, listed before a copy."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from alo.errors import OutsideError
from alo.files import many_objects
from alo.masking import masked

REMOTE_SCHEMES = ("s3://", "gs://", "az://", "http://", "https://")
READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


class BadLocation(OutsideError):
    """An external path cannot be used; says which and why."""

    exit_status = 2


class Access(NamedTuple):
    """What the plan says about getting at remote locations."""

    aws_key_profile: str = ""  # empty: the usual credential chain


NO_PROFILE = Access()


class RemoteLocation(NamedTuple):
    """A folder or file in an object store, or behind HTTP."""

    url: str  # without a slash at its end
    access: Access = NO_PROFILE

    def __str__(self) -> str:
        return masked(self.url)

    def __truediv__(self, name: str) -> RemoteLocation:
        return self._replace(url=f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The last part of the URL, without its query."""
        path = self.url.partition("?")[0].partition("://")[2]
        name = path.rpartition("/")[2] if "/" in path else ""
        if not self.is_http:
            return name
        from urllib.parse import unquote

        return unquote(name).replace("/", "_")

    @property
    def is_http(self) -> bool:
        return self.url.startswith(("http://", "https://"))


class SourceFile(NamedTuple):
    """One file to be staged, or a folder that holds nothing."""

    path: str  # absolute, or a URL
    name: str  # below input/<kind>/, with / between parts; an empty folder's ends with one
    size: int
    mtime_ns: int
    etag: str = ""  # of an object, where its store gives one

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")

    @property
    def version(self) -> tuple[int, int, str]:
        """Differs once the content may: size and time, or size and ETag."""
        return (self.size, 0 if self.etag else self.mtime_ns, self.etag)


def is_remote(path: str) -> bool:
    return path.startswith(REMOTE_SCHEMES)


def resolve(home: Path, path: str) -> Path:
    """A plan's local path as an absolute one; relative means relative to the project."""
    return Path(os.path.normpath(home / os.path.expanduser(path)))


def locate(home: Path, path: str, access: Access = NO_PROFILE) -> Path | RemoteLocation:
    """What an external path of the plan means: a local path or a remote location."""
    if is_remote(path):
        return RemoteLocation(path.rstrip("/"), access)
    scheme, slashes, _ = path.partition("://")
    if slashes and scheme.isalnum():
        raise BadLocation(
            f"{path}: no locations of the kind '{scheme}://'",
            fix=f"it can be a local path, or begin with {', '.join(REMOTE_SCHEMES)}",
        )
    return resolve(home, path)


def list_sources(
    home: Path, paths: Sequence[str], target: Path, access: Access = NO_PROFILE
) -> list[SourceFile]:
    """Every file of a run's data sources, in the order of their names.

    Args:
        paths: as the plan writes them.
        target: the folder they will be staged into, which no source may hold or lie in.
    Raises:
        BadLocation: the first thing that is wrong with one of them.
    """
    with many_objects():
        return _list_sources(home, paths, target, access)


def _list_sources(
    home: Path, paths: Sequence[str], target: Path, access: Access
) -> list[SourceFile]:
    owners: dict[str, str] = {}
    files: list[SourceFile] = []
    for path in paths:
        source = locate(home, path, access)
        if source.name in owners:
            raise BadLocation(
                f"{owners[source.name]} and {path} have the same last name '{source.name}', "
                "and would be staged into one place",
                fix="rename one of the two",
            )
        owners[source.name] = path
        if isinstance(source, RemoteLocation):
            files += _list_remote(source)
        else:
            _refuse_overlap(path, source, target)
            files += _walk(source, path)
    files.sort(key=attrgetter("name"))
    return files


def _list_remote(source: RemoteLocation) -> list[SourceFile]:
    from alo.data.remote import list_files

    if source.name in ("", ".", ".."):
        raise BadLocation(f"{source}: names no folder or file in the store", fix="add its path")
    return list_files(source)


def _refuse_overlap(path: str, source: Path, target: Path) -> None:
    real, inside = os.path.realpath(source), os.path.realpath(target)
    if not source.name or os.path.commonpath([real, inside]) in (real, inside):
        raise BadLocation(
            f"{path} overlaps {target}, the folder that data is staged into",
            fix="give a folder outside of input/, or leave the path empty to use what is in input/",
        )


def _walk(source: Path, path: str) -> list[SourceFile]:
    try:
        status = os.stat(source)
    except OSError as error:
        raise BadLocation(
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
    try:
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            raise BadLocation(f"{folder}: a link that leads back to a folder above it")
        with os.scandir(folder) as entries:
            for entry in entries:
                below = f"{name}/{entry.name}"
                if entry.is_dir():
                    _walk_folder(entry.path, below, (*above, identity), files)
                else:
                    files.append(_file(entry.path, below, entry.stat()))
    except OSError as error:
        raise BadLocation(f"{error.filename or folder}: {_reason(error)}") from error
    if len(files) == before:
        files.append(SourceFile(folder, f"{name}/", 0, 0))


def _file(path: str, name: str, status: os.stat_result) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        raise BadLocation(f"{path}: neither a file nor a folder")
    is_open = status.st_mode & READABLE_BY_ALL == READABLE_BY_ALL
    if not is_open and not os.access(path, os.R_OK, effective_ids=True):
        raise BadLocation(f"{path}: no permission to read it")
    return SourceFile(path, name, status.st_size, status.st_mtime_ns)


def _reason(error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return error.strerror or str(error)
    is_link = error.filename and os.path.islink(error.filename)
    return "a link to something that does not exist" if is_link else "does not exist"
