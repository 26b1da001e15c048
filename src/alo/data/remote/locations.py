"""Remote locations as the rest of alo sees them: list a source, fetch models, save artifacts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from alo.data.location import LocationError, RemoteLocation, SourceFile
from alo.data.remote.faults import GoneError, ObjectStoreError
from alo.data.remote.object_store import faults_translated, open_place
from alo.errors import ExportError, StagingError
from alo.files import CHUNK

if TYPE_CHECKING:
    from obstore import WritableFile
    from obstore.store import ObjectStore

MODEL_ARCHIVE = "model.tar.gz"
UPLOAD_PART = 8 << 20
PARTS_AT_ONCE = 4  # of one file
FILES_AT_ONCE = 8


def list_files(source: RemoteLocation) -> list[SourceFile]:
    """The objects below a source, or the one that it is, named from the source's last name.

    Raises:
        LocationError: there are none, or the store does not answer.
    """
    try:
        if source.is_http:
            from alo.data.remote.web_files import look_at

            return [look_at(source)]
        from alo.data.remote.store_files import files_of

        return files_of(source)
    except GoneError as error:
        fix = "over http, name a file: folders cannot be listed" if source.is_http else ""
        raise LocationError(f"{source}: does not exist, or holds nothing", fix=fix) from error
    except ObjectStoreError as error:
        who = "server can be reached" if source.is_http else "store can be reached with these keys"
        raise LocationError(str(error), fix=error.fix or f"see that the {who}") from error


def check_writable(target: RemoteLocation) -> None:
    """What can be known without writing.

    Raises:
        LocationError: nothing can be saved there.
    """
    if target.is_http:
        raise LocationError(
            f"{target}: artifacts cannot be saved over http", fix="use a folder or s3://"
        )
    open_place(target)


def check_models(source: RemoteLocation) -> None:
    """
    Raises:
        LocationError: there is no model there.
    """
    _model_files(source)


def _model_files(source: RemoteLocation) -> list[SourceFile]:
    """The archive alone where there is one; names from inside the source."""
    if source.is_http:
        is_archive = "?" in source.url or source.name.endswith(".tar.gz")
        file = list_files(source if is_archive else source / MODEL_ARCHIVE)[0]
        return [file._replace(name=MODEL_ARCHIVE)]
    files = list_files(source)
    if [file.name for file in files] == [source.name]:
        raise LocationError(
            f"{source}: is not a folder", fix=f"give the folder that holds {MODEL_ARCHIVE}"
        )
    inside = [file._replace(name=file.name.partition("/")[2]) for file in files]
    if all(file.is_folder for file in inside):
        raise LocationError(f"{source}: holds no file, so there is no model in it")
    return [file for file in inside if file.name == MODEL_ARCHIVE] or inside


def fetch_models_to(source: RemoteLocation, target: Path) -> None:
    """Fill the folder ``target`` with the models of a source.

    Raises:
        AloError: they cannot be had, or an archive is refused.
    """
    from alo.data.archives.members import Limits
    from alo.data.archives.unpack import unpack_archive
    from alo.data.remote.fetching import fetch_all

    files = _model_files(source)
    partial = target.with_name(f"{target.name}.partial")
    archive = partial / MODEL_ARCHIVE
    is_archive = files[0].name == MODEL_ARCHIVE
    root = partial if is_archive else target
    for file in files:
        folder = root / file.name
        (folder if file.is_folder else folder.parent).mkdir(parents=True, exist_ok=True)
    content = [file for file in files if not file.is_folder]
    try:
        for _ in fetch_all(content, root, partial, source.access, lambda size: None):
            pass
        if is_archive:
            unpack_archive(archive, target, Limits.from_environ(os.environ))
    except ObjectStoreError as error:
        raise StagingError(
            str(error), fix=error.fix or "see that the store can be reached, and try again"
        ) from error
    finally:
        from alo.files import discard

        discard(partial)


def upload(parts: Mapping[str, BinaryIO], target: RemoteLocation) -> list[RemoteLocation]:
    """Save files below ``target``, each whole or not at all.

    None is completed before all have been sent (but for the last parts, which are on their way), so
    that what breaks off leaves the old ones together.

    Raises:
        ExportError: not all could be sent.
    """
    from concurrent.futures import ThreadPoolExecutor

    place = open_place(target)
    prefix = f"{place.key}/" if place.key else ""
    try:
        with ThreadPoolExecutor(FILES_AT_ONCE, "upload") as pool, faults_translated(str(target)):
            sending = [
                pool.submit(_send, place.store, prefix + name, file) for name, file in parts.items()
            ]
            writers = [job.result() for job in sending]
            for completing in [pool.submit(writer.close) for writer in writers]:
                completing.result()
    except ObjectStoreError as error:
        raise ExportError(
            f"the artifacts cannot be saved: {error}",
            fix="see that the store can be reached and written to with these keys, and try again",
        ) from error
    return [target / name for name in parts]


def _send(store: ObjectStore, key: str, file: BinaryIO) -> WritableFile:
    import obstore

    writer = obstore.open_writer(store, key, buffer_size=UPLOAD_PART, max_concurrency=PARTS_AT_ONCE)
    file.seek(0)
    while piece := file.read(CHUNK):
        writer.write(piece)
    return writer
