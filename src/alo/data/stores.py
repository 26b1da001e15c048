"""Object stores and HTTP servers, all behind the interface of obstore (the extra ``remote``)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from alo.data.location import BadLocation, RemoteLocation
from alo.masking import masked

if TYPE_CHECKING:
    from obstore import ObjectMeta
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


class StoreFault(Exception):
    """A store said no, or said nothing; the message holds no secret."""


class Gone(StoreFault):
    """There is no such object."""


class Changed(StoreFault):
    """The object is not the one that was listed."""


class NoRanges(StoreFault):
    """The server sends whole files only."""


class Refused(StoreFault):
    """Trying again will not help: no right to it, or not the right question."""


class Place(NamedTuple):
    """Where something is: a store and a key in it."""

    store: ObjectStore
    key: str


def open_place(location: RemoteLocation) -> Place:
    """Connects to nothing by itself.

    Raises:
        BadLocation: the extra is not installed, or the URL or the profile is wrong.
    """
    try:
        from obstore import store as stores
        from obstore.exceptions import BaseError
    except ModuleNotFoundError as error:
        raise BadLocation(
            f"{location} needs obstore, which is not installed here",
            fix="pip install 'open-alo[remote]'",
        ) from error
    scheme, _, rest = location.url.partition("://")
    bucket, _, key = rest.partition("/")
    try:
        if scheme == "s3":
            from alo.data.aws_profile import aws_settings

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
        elif scheme == "az":
            store = stores.AzureStore(bucket, client_options=CLIENT, retry_config=RETRIES)
        else:
            if "?" in key:
                raise BadLocation(
                    f"{location}: signed URLs cannot be read", fix="give one without a query"
                )
            store = stores.HTTPStore.from_url(
                f"{scheme}://{bucket}", client_options=CLIENT, retry_config=RETRIES
            )
    except BaseError as error:
        raise BadLocation(f"{location}: {plain(error)}") from error
    return Place(store, key_of(location.url, key))


def etag_of(meta: ObjectMeta) -> str:
    """Without its quotes, which Azure writes in answers and leaves out in listings."""
    etag = meta["e_tag"] or ""
    return etag if etag.startswith("W/") else etag.strip('"')


def quoted_etag(etag: str) -> str:
    """As HTTP wants it in a condition."""
    return etag if etag.startswith("W/") else f'"{etag}"'


def key_of(url: str, path: str) -> str:
    """The key of an object, which obstore itself encodes for HTTP."""
    if not url.startswith("http"):
        return path
    from urllib.parse import unquote

    return unquote(path)


@contextmanager
def faults_translated(what: str) -> Iterator[None]:
    """Turn obstore's errors into ours, which name ``what`` and hold no secret."""
    from obstore import exceptions

    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise Gone(f"{what} does not exist") from error
    except exceptions.PreconditionError as error:
        raise Changed(f"{what} was replaced meanwhile") from error
    except exceptions.NotSupportedError as error:
        raise NoRanges(f"{what}: {plain(error)}") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise Refused(f"{what}: no permission, or wrong credentials") from error
    except (exceptions.BaseError, OSError) as error:
        raise StoreFault(f"{what}: {plain(error)}") from error


def plain(error: BaseException) -> str:
    """What an error says in a line."""
    line = re.split(r"\n\n|Debug source", str(error))[0].replace("\n", " ")
    return masked(line).strip()[:300] or type(error).__name__
