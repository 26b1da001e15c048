"""Bring models from outside into a folder: an unpacked ``model.tar.gz``, or a folder's content."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from alo.data.location import NO_PROFILE, Access, LocationError, RemoteLocation, is_within, locate
from alo.errors import AloError, StagingError
from alolib.disk import fix_of

MODEL_ARCHIVE = "model.tar.gz"


def check_model_source(
    home: Path,
    path: str,
    access: Access = NO_PROFILE,
    *,
    made: Collection[Path | RemoteLocation] = (),
) -> Path | RemoteLocation:
    """The folder that ``load_model_path`` names.

    Args:
        made: folders that runs which come first fill; what is there then cannot be known yet.
    Raises:
        LocationError: it is not there, is no folder, or holds no file.
    """
    source = locate(home, path, access)
    if is_within(source, made):
        return source
    if isinstance(source, RemoteLocation):
        from alo.data.remote.locations import check_models

        check_models(source)
        return source
    if not source.is_dir():
        reason = "is not a folder" if source.exists() else "does not exist"
        fix = "give a folder that holds model.tar.gz, or the models themselves"
        raise LocationError(f"{path}: {reason}", where=str(source), fix=fix)
    if not has_files(source):
        raise LocationError(
            f"{path}: the folder is empty, so there is no model in it", where=str(source)
        )
    return source


def fetch_models(source: Path | RemoteLocation, target: Path) -> None:
    """Fill the new folder ``target`` with the models of a source.

    Raises:
        StagingError: the archive is refused, or something cannot be read; ``target`` is of no use.
    """
    try:
        target.mkdir(parents=True)
        if isinstance(source, RemoteLocation):
            _fetch_remote(source, target)
        elif (source / MODEL_ARCHIVE).is_file():
            _unpack(source / MODEL_ARCHIVE, target)
        else:
            copy_folder(source, target)
        if not has_files(target):
            raise AloError(f"{source} holds no file")
    except AloError as error:
        raise _not_loaded(error.what, source, error.fix) from error
    except OSError as error:
        raise _not_loaded(str(error), source, fix_of(error)) from error


def _not_loaded(why: str, source: Path | RemoteLocation, fix: str) -> StagingError:
    return StagingError(f"the model cannot be loaded: {why}", where=str(source), fix=fix)


def has_files(folder: Path) -> bool:
    """Whether there is a file at any depth below ``folder``."""
    from alo.data.archives.pack import list_members

    return not all(member.is_folder for member in list_members(folder))


def copy_folder(source: Path, target: Path) -> None:
    """Copy what a folder holds into another; links as what they point to."""
    from alo.data.archives.pack import list_members
    from alo.data.copying import Copier

    copier = Copier()
    for member in list_members(source):
        if member.is_folder:
            (target / member.name).mkdir()
        else:
            copier.copy(member.path, str(target / member.name))


def _unpack(archive: Path, target: Path) -> None:
    from alo.data.archives.members import Limits
    from alo.data.archives.unpack import unpack_archive

    unpack_archive(archive, target, Limits.from_environ(os.environ))


def _fetch_remote(source: RemoteLocation, target: Path) -> None:
    from alo.data.remote.locations import fetch_models_to

    fetch_models_to(source, target)
