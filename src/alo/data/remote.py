"""Remote locations as the rest of alo sees them: list a source, fetch models, save artifacts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from alo.data.faults import Gone, StoreFault
from alo.data.location import BadLocation, RemoteLocation, SourceFile
from alo.data.stores import etag_of, faults_translated, open_place
from alo.errors import ExportError, StagingError
from alo.files import CHUNK

if TYPE_CHECKING:
    from obstore import ObjectMeta, WritableFile
    from obstore.store import ObjectStore

MODEL_ARCHIVE = "model.tar.gz"
UPLOAD_PART = 8 << 20
PARTS_AT_ONCE = 4  # of one file
FILES_AT_ONCE = 8


def list_files(source: RemoteLocation) -> list[SourceFile]:
    """The objects below a source, or the one that it is, named from the source's last name.

    Raises:
        BadLocation: there are none, or the store does not answer.
    """
    try:
        if source.is_http:
            from alo.data.web_files import look_at

            return [look_at(source)]
        return _list_below(source) or [_look_at(source)]
    except Gone as error:
        fix = "over http, name a file: folders cannot be listed" if source.is_http else ""
        raise BadLocation(f"{source}: does not exist, or holds nothing", fix=fix) from error
    except StoreFault as error:
        who = "server can be reached" if source.is_http else "store can be reached with these keys"
        raise BadLocation(str(error), fix=error.fix or f"see that the {who}") from error


def _list_below(source: RemoteLocation) -> list[SourceFile]:
    place = open_place(source)
    import obstore

    with faults_translated(str(source)):
        metas = [
            meta for page in obstore.list(place.store, place.key, chunk_size=1000) for meta in page
        ]
    files = [
        _source_file(source / meta["path"][len(place.key) + 1 :], meta, source)
        for meta in metas
        if meta["path"] != place.key  # an empty object that stands for the folder
    ]
    folders = {file.name.rpartition("/")[0] for file in files}
    for folder in list(folders):
        while folder := folder.rpartition("/")[0]:
            folders.add(folder)
    for file in files:
        if {"", ".", ".."} & set(file.name.split("/")):
            raise BadLocation(f"{file.path}: not a name that a file can have")
        if file.name in folders and file.size:
            raise BadLocation(f"{file.path}: an object and a folder at once")
    return [file for file in files if file.name not in folders]


def _look_at(source: RemoteLocation) -> SourceFile:
    place = open_place(source)
    import obstore

    if not place.key:
        raise Gone(str(source))
    with faults_translated(str(source)):
        meta = obstore.head(place.store, place.key)
    return _source_file(source, meta, source)


def _source_file(location: RemoteLocation, meta: ObjectMeta, source: RemoteLocation) -> SourceFile:
    name = source.name + location.url[len(source.url) :]
    mtime_ns = int(meta["last_modified"].timestamp() * 1_000_000_000)
    return SourceFile(location.url, name, meta["size"], mtime_ns, etag_of(meta))


def check_writable(target: RemoteLocation) -> None:
    """What can be known without writing.

    Raises:
        BadLocation: nothing can be saved there.
    """
    if target.is_http:
        raise BadLocation(
            f"{target}: artifacts cannot be saved over http", fix="use a folder or s3://"
        )
    open_place(target)


def check_models(source: RemoteLocation) -> None:
    """
    Raises:
        BadLocation: there is no model there.
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
        raise BadLocation(
            f"{source}: is not a folder", fix=f"give the folder that holds {MODEL_ARCHIVE}"
        )
    inside = [file._replace(name=file.name.partition("/")[2]) for file in files]
    return [file for file in inside if file.name == MODEL_ARCHIVE] or inside


def fetch_models_to(source: RemoteLocation, target: Path) -> None:
    """Fill the folder ``target`` with the models of a source.

    Raises:
        AloError: they cannot be had, or an archive is refused.
    """
    from alo.data.fetching import fetch_all
    from alo.data.unpack import Limits, unpack_tar

    files = _model_files(source)
    partial = target.with_name(f"{target.name}.partial")
    archive = partial / MODEL_ARCHIVE
    is_archive = files[0].name == MODEL_ARCHIVE
    root = partial if is_archive else target
    for file in files:
        (root / file.name).parent.mkdir(parents=True, exist_ok=True)
    try:
        for _ in fetch_all(files, root, partial, source.access, lambda size: None):
            pass
        if is_archive:
            unpack_tar(archive, target, Limits.from_environ(os.environ))
    except StoreFault as error:
        raise StagingError(
            str(error), fix=error.fix or "see that the store can be reached, and run again"
        ) from error
    finally:
        from alo.files import remove_tree

        remove_tree(partial)


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
    except StoreFault as error:
        raise ExportError(
            f"the artifacts cannot be saved: {error}",
            fix="see that the store can be reached and written to with these keys, and run again",
        ) from error
    return [target / name for name in parts]


def _send(store: ObjectStore, key: str, file: BinaryIO) -> WritableFile:
    import obstore

    writer = obstore.open_writer(store, key, buffer_size=UPLOAD_PART, max_concurrency=PARTS_AT_ONCE)
    file.seek(0)
    while piece := file.read(CHUNK):
        writer.write(piece)
    return writer
