"""Hand a run's artifacts over to the plan's ``save_*_artifacts_path``, whole or not at all (spec 6)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from alo.data.archive import pack
from alo.data.locations import BadLocation, resolve
from alo.data.models import MODEL_ARCHIVE
from alo.errors import ExportError
from alo.files import temporary_beside

_Writer: TypeAlias = Callable[[Path], object]

LOGS = ("process.log", "pipeline.log")


def check_export_target(home: Path, path: str) -> Path:
    """The folder to export to; it is made when the time comes.

    Raises:
        BadLocation: it is remote, or cannot be a folder that we may write to.
    """
    target = resolve(home, path)
    existing = next(parent for parent in (target, *target.parents) if parent.exists())
    if not existing.is_dir():
        raise BadLocation(f"{path}: {existing} is a file, so artifacts cannot be saved below it")
    if not os.access(existing, os.W_OK):
        raise BadLocation(f"{path}: no permission to write to {existing}")
    return target


def export_artifacts(artifacts: Path, kind: str, target: Path, archive_format: str) -> list[Path]:
    """Write the archives and logs of one run into ``target``.

    Args:
        artifacts: ``train_artifacts/`` or ``inference_artifacts/``.
        archive_format: of ``inference_artifacts``: tar.gz or zip.
    Returns:
        the files written.
    Raises:
        ExportError: nothing new is to be seen in ``target`` then.
    """
    written: list[tuple[Path, Path]] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, write in _parts(artifacts, kind, archive_format):
            final = target / name
            written.append((temporary_beside(final), final))
            write(written[-1][0])
            _sync(written[-1][0])
        for temporary, final in written:
            os.replace(temporary, final)
    except OSError as error:
        raise ExportError(
            f"the artifacts cannot be saved to {target}: {error.strerror or error}",
            where=str(error.filename or target),
            fix="make room or mend the permissions there, and run again",
        ) from error
    finally:
        for temporary, _ in written:
            temporary.unlink(missing_ok=True)
    return [final for _, final in written]


def _parts(artifacts: Path, kind: str, archive_format: str) -> Iterator[tuple[str, _Writer]]:
    suffix = archive_format if kind == "inference" else "tar.gz"
    yield f"{artifacts.name}.{suffix}", lambda path: pack(artifacts, path, suffix)
    models = artifacts / "models"
    if models.is_dir() and any(files for _, _, files in os.walk(models)):
        yield MODEL_ARCHIVE, lambda path: pack(models, path, "tar.gz")
    for name in LOGS:
        log = artifacts / "log" / name
        if log.is_file():
            yield name, _copier(log)


def _copier(source: Path) -> _Writer:
    return lambda path: path.write_bytes(source.read_bytes())


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
