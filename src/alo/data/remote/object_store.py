"""Object stores, all behind the interface of obstore (the extra ``remote``)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from alo.data.location import LocationError, RemoteLocation, SourceFile
from alo.data.remote.faults import (
    ChangedError,
    GoneError,
    NoRangesError,
    ObjectStoreError,
    RefusedError,
)
from alo.files import CHUNK
from alo.masking import masked

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

RETRIES: RetryConfig = {
    "max_retries": 6,
    "retry_timeout": timedelta(minutes=2),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=5),
        "base": 2,
    },
}
CLIENT: ClientConfig = {
    "allow_http": True,  # the user's own endpoint decides
    "timeout": timedelta(minutes=10),  # of a whole request, however slow the line
    "read_timeout": timedelta(seconds=60),  # without a byte
}


class Place(NamedTuple):
    """Where something is: a store and a key in it."""

    store: ObjectStore
    key: str


def open_place(location: RemoteLocation) -> Place:
    """Connects to nothing by itself.

    Raises:
        LocationError: the extra is not installed, or the URL or the profile is wrong.
    """
    try:
        from obstore import store as stores
        from obstore.exceptions import BaseError
    except ModuleNotFoundError as error:
        raise LocationError(
            f"{location} needs obstore, which is not installed here",
            fix="pip install 'open-alo[remote]'",
        ) from error
    scheme, _, rest = location.url.partition("://")
    bucket, _, key = rest.partition("/")
    try:
        if scheme == "s3":
            from alo.data.remote.aws_profile import aws_settings

            settings = aws_settings(location.access.aws_key_profile, os.environ)
            store: ObjectStore = stores.S3Store(
                bucket,
                config=dict(settings.config),  # type: ignore[arg-type]
                client_options=CLIENT,
                retry_config=RETRIES,
                credential_provider=settings.provider,
            )
        elif scheme == "gs":
            store = stores.GCSStore(bucket, client_options=CLIENT, retry_config=RETRIES)
        else:
            store = stores.AzureStore(bucket, client_options=CLIENT, retry_config=RETRIES)
    except BaseError as error:
        raise LocationError(f"{location}: {plain(error)}") from error
    return Place(store, key)


class StoreSource:
    """The content of one object."""

    is_sure = True

    def __init__(self, place: Place) -> None:
        self._place = place

    def get(self, file: SourceFile, start: int, end: int) -> memoryview:
        """A part of the object, or all of it.

        Raises:
            ObjectStoreError: it did not come whole, or is not what was listed.
        """
        import obstore

        options: GetOptions = {}
        if file.etag:
            options["if_match"] = quoted_etag(file.etag)
        if (start, end) != (0, file.size):
            options["range"] = (start, end)
        with faults_translated(file.path):
            result = obstore.get(self._place.store, self._place.key, options=options)
            _check_identity(file, result.meta)
            content = memoryview(result.bytes())
        if len(content) != end - start:
            raise ObjectStoreError(f"{file.path}: {len(content):,} of {end - start:,} bytes came")
        return content

    def stream(self, file: SourceFile) -> Iterator[bytes]:
        """All of the object, where its store sends no parts.

        Raises:
            ObjectStoreError: as of ``get``.
        """
        import obstore

        done = 0
        with faults_translated(file.path):
            result = obstore.get(self._place.store, self._place.key)
            _check_identity(file, result.meta)
            for piece in result.stream(min_chunk_size=CHUNK):
                done += len(piece)
                yield bytes(piece)
        if done != file.size:
            raise ObjectStoreError(f"{file.path}: {done:,} of {file.size:,} bytes came")


def _check_identity(file: SourceFile, meta: ObjectMeta) -> None:
    if etag_of(meta) != file.etag:
        raise ChangedError(f"{file.path} was replaced meanwhile")
    if meta["size"] != file.size:
        # An ETag stands for the content, so for its size.
        fault = ObjectStoreError if file.etag else ChangedError
        raise fault(f"{file.path}: {meta['size']:,} instead of {file.size:,} bytes")


def etag_of(meta: ObjectMeta) -> str:
    """Without its quotes, which Azure writes in answers and leaves out in listings."""
    etag = meta["e_tag"] or ""
    return etag if etag.startswith("W/") else etag.strip('"')


def quoted_etag(etag: str) -> str:
    """As HTTP wants it in a condition."""
    return etag if etag.startswith("W/") else f'"{etag}"'


@contextmanager
def faults_translated(what: str) -> Iterator[None]:
    """Turn obstore's errors into ours, which name ``what`` and hold no secret."""
    from obstore import exceptions

    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise GoneError(f"{what} does not exist") from error
    except exceptions.PreconditionError as error:
        raise ChangedError(f"{what} was replaced meanwhile") from error
    except exceptions.NotSupportedError as error:
        raise NoRangesError(f"{what}: {plain(error)}") from error
    except exceptions.InvalidPathError as error:
        raise RefusedError(
            f"{what}: the name of an object in it cannot be that of a file: {plain(error)}",
            "give the object another name in the store, or name what is next to it",
        ) from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        if "InvalidObjectState" in str(error):
            raise _archived(what) from error
        raise RefusedError(f"{what}: no permission, or wrong credentials") from error
    except (exceptions.BaseError, OSError) as error:
        if "BlobArchived" in str(error):
            raise _archived(what) from error
        if re.search("40[13] (Forbidden|Unauthorized)", str(error)):  # of a listing
            raise RefusedError(f"{what}: no permission, or wrong credentials") from error
        is_elsewhere = "region" in str(error).lower()
        fix = "set AWS_REGION, or region in the profile, to that of the bucket"
        raise ObjectStoreError(f"{what}: {plain(error)}", fix if is_elsewhere else "") from error


def _archived(what: str) -> RefusedError:
    """Glacier and its like: the object is listed, and cannot be read for hours."""
    return RefusedError(f"{what} is archived in its store", "restore it there first, and run again")


def plain(error: BaseException) -> str:
    """What an error says in a line."""
    line = re.split(r"\n\n|Debug source", str(error))[0].replace("\n", " ")
    return masked(line).strip()[:300] or type(error).__name__
