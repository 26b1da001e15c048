"""The objects of a store as files and folders: which there are below a source.

A store knows keys only. A key that ends with ``/`` (as consoles make one) or with ``_$folder$`` (as
Hadoop does) stands for a folder, and is one: an empty one, where nothing is below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from alo.data.location import LocationError, RemoteLocation, SourceFile, check_name
from alo.data.remote.faults import GoneError, ObjectStoreError, RefusedError
from alo.data.remote.object_store import Place, etag_of, faults_translated, open_place

if TYPE_CHECKING:
    from obstore import ObjectMeta

HADOOP = "_$folder$"
FOLDERS_AT_ONCE = 12


def files_of(source: RemoteLocation) -> list[SourceFile]:
    """The objects below a source, or the one that it is, named from the source's last name.

    Raises:
        ObjectStoreError: there are none, or the store does not answer.
        LocationError: one cannot be a file.
    """
    place = open_place(source)
    try:
        metas = _list(place, source)
    except RefusedError as refused:  # the right to read an object may come without that to list
        try:
            return [look_at(source, place)]
        except ObjectStoreError:
            raise refused from None
    if not metas:
        return [look_at(source, place)]
    if not source.is_folder:
        _refuse_both(source, place)
    return _as_files(source, place, metas)


def look_at(source: RemoteLocation, place: Place) -> SourceFile:
    """The object of this very key.

    Raises:
        ObjectStoreError: there is none, or the store does not answer.
    """
    import obstore

    if not place.key:
        raise GoneError(str(source))
    with faults_translated(str(source)):
        meta = obstore.head(place.store, place.key)
    return _source_file(source, meta, source)


def _list(place: Place, source: RemoteLocation) -> list[ObjectMeta]:
    import obstore

    with faults_translated(str(source)):
        pages = obstore.list(place.store, place.key, chunk_size=1000)
        return [meta for page in pages for meta in page]


def _refuse_both(source: RemoteLocation, place: Place) -> None:
    try:
        is_object = look_at(source, place).size > 0
    except ObjectStoreError:
        return
    if is_object:
        raise LocationError(
            f"{source}: an object and a folder at once",
            fix="for the folder, end the path with a /; for the object, give it a name of its own",
        )


def _as_files(
    source: RemoteLocation, place: Place, metas: Sequence[ObjectMeta]
) -> list[SourceFile]:
    objects: dict[str, ObjectMeta] = {}
    folders: set[str] = set()
    for meta in metas:
        key = meta["path"]  # without the / that it may end with
        if key == place.key:
            folders.add(key)
        elif key.endswith(HADOOP) and not meta["size"]:
            folders.add(key.removesuffix(HADOOP))
        else:
            objects.setdefault(key, meta)  # before the same with a / comes that without
    empty = [key for key, meta in objects.items() if not meta["size"]]
    for key in _ending_with_slash(place, empty, source):
        folders.add(key)
        del objects[key]
    full = _folders_above([*objects, *folders])
    for key in full & objects.keys():
        if objects.pop(key)["size"]:  # an empty one stands for the folder
            raise LocationError(f"{_location(source, place, key)}: an object and a folder at once")
    files = [_source_file(_location(source, place, key), objects[key], source) for key in objects]
    for key in folders - full - objects.keys():
        location = _location(source, place, key)
        files.append(SourceFile(location.url, f"{_name(location, source)}/", 0, 0))
    for file in files:
        check_name(file.name, file.path)
    return files


def _folders_above(keys: Iterable[str]) -> set[str]:
    folders: set[str] = set()
    for key in keys:
        while (key := key.rpartition("/")[0]) and key not in folders:
            folders.add(key)
    return folders


def _location(source: RemoteLocation, place: Place, key: str) -> RemoteLocation:
    return source._replace(url=source.url + key[len(place.key) :])


def _name(location: RemoteLocation, source: RemoteLocation) -> str:
    return source.name + location.url[len(source.url) :]


def _ending_with_slash(place: Place, keys: Sequence[str], source: RemoteLocation) -> Iterable[str]:
    """Which of these empty objects are folders; a listing of all leaves the last / out."""
    import obstore

    def look(parent: str) -> set[str]:
        with faults_translated(str(source)):
            found = obstore.list_with_delimiter(place.store, parent or None)
        return set(found["common_prefixes"]) - {meta["path"] for meta in found["objects"]}

    parents = {key.rpartition("/")[0] for key in keys}
    if not parents:
        return []
    with ThreadPoolExecutor(FOLDERS_AT_ONCE, "list") as pool:
        folders = set().union(*pool.map(look, parents))
    return [key for key in keys if key in folders]


def _source_file(location: RemoteLocation, meta: ObjectMeta, source: RemoteLocation) -> SourceFile:
    mtime_ns = int(meta["last_modified"].timestamp() * 1_000_000_000)
    name = _name(location, source)
    return SourceFile(location.url, name, meta["size"], mtime_ns, etag_of(meta))
