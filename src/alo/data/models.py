"""Bring models from outside into a folder: an unpacked ``model.tar.gz``, or a folder's content."""

from __future__ import annotations

import os
from pathlib import Path

from alo.data.archive import BadArchive, unpack_tar
from alo.data.locations import BadLocation, resolve
from alo.errors import StagingError

MODEL_ARCHIVE = "model.tar.gz"


def check_model_source(home: Path, path: str) -> Path:
    """The folder that ``load_model_path`` names.

    Raises:
        BadLocation: it is not there, is no folder, or is empty.
    """
    source = resolve(home, path)
    if not source.is_dir():
        reason = "is not a folder" if source.exists() else "does not exist"
        fix = "give a folder that holds model.tar.gz, or the models themselves"
        raise BadLocation(f"{path}: {reason}", where=str(source), fix=fix)
    if not any(source.iterdir()):
        raise BadLocation(f"{path}: the folder is empty, so there is no model in it", where=str(source))
    return source


def fetch_models(source: Path, target: Path) -> None:
    """Fill the new folder ``target`` with the models of a source folder.

    Raises:
        StagingError: the archive is refused, or something cannot be read; ``target`` is then of no use.
    """
    import shutil

    archive = source / MODEL_ARCHIVE
    try:
        if archive.is_file():
            target.mkdir(parents=True)
            unpack_tar(archive, target)
            if not any(files for _, _, files in os.walk(target)):
                raise BadArchive(f"{archive} holds no file")
        else:
            shutil.copytree(source, target)
    except (OSError, shutil.Error, BadArchive) as error:
        fix = error.fix if isinstance(error, BadArchive) else ""
        what = error.what if isinstance(error, BadArchive) else str(error)
        raise StagingError(
            f"the model cannot be loaded: {what}", where=str(source), fix=fix
        ) from error
