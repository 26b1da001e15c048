"""Blobs below a prefix of an object store: each by its name, and there whole or not at all.

Here: streams of bytes that somebody puts and somebody else takes. Not here: what they mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from alo.data.location import LocationError, RemoteLocation, SourceFile
from alo.data.remote.faults import GoneError, ObjectStoreError, again
from alo.data.remote.locations import PARTS_AT_ONCE, UPLOAD_PART
from alo.data.remote.object_store import Place, StoreSource, faults_translated, open_place
from alo.data.remote.store_files import look_at

PART = 8_000_000  # bytes that are asked for at once
CHECK = "alo-check"
FIX = "see that the bucket is there, and may be listed, read and written with these keys"


class Blobs:
    """A prefix, for any number of threads; it connects to nothing by itself.

    Each method raises ``LocationError`` where the store does not do it.

    Raises:
        LocationError: the extra is not installed, or the URL or the profile is wrong.
    """

    def __init__(self, location: RemoteLocation) -> None:
        self._location, self._place = location, open_place(location)

    def place_of(self, name: str) -> str:
        """The URL of a blob, for messages."""
        return str(self._location / name)

    def find(self, name: str) -> SourceFile | None:
        """A blob; None where there is none of this name."""
        with _as_ours():
            try:
                return look_at(self._location / name, self._at(name))
            except GoneError:
                return None

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """Have a blob there, in the place of one of this name; whatever ``pieces`` raises."""
        import obstore

        store, key = self._at(name)
        writer = obstore.open_writer(
            store, key, buffer_size=UPLOAD_PART, max_concurrency=PARTS_AT_ONCE
        )
        for piece in pieces:  # what is wrong with them is no fault of the store's
            with _as_ours(), faults_translated(self.place_of(name)):
                writer.write(piece)
        with _as_ours(), faults_translated(self.place_of(name)):
            writer.close()

    def pieces(self, name: str, found: SourceFile) -> Iterator[bytes]:
        """All of a blob, in pieces, each of which is tried again.

        Args:
            found: as ``find`` has it.
        """
        source = StoreSource(self._at(name))
        for start in range(0, found.size, PART):
            end = min(start + PART, found.size)
            with _as_ours():
                piece = again(partial(source.get, found, start, end))
            yield bytes(piece)

    def remove(self, name: str) -> None:
        """Have a blob gone, if it is there."""
        import obstore

        store, key = self._at(name)
        with _as_ours(), suppress(GoneError), faults_translated(self.place_of(name)):
            obstore.delete(store, key)

    def check(self, *, reads: bool = True) -> None:
        """See that blobs can be put here, with one that is removed at once.

        Args:
            reads: and that they can be looked for, and read.
        """
        name, content = f"{CHECK}-{os.urandom(6).hex()}", CHECK.encode()
        if reads:
            self.find(name)  # not there, which is another answer than that we may not ask
        self.put(name, [content])
        try:
            found = self.find(name) if reads else None
            if reads and (not found or b"".join(self.pieces(name, found)) != content):
                raise LocationError(f"{self._location}: what is put there is not there then")
        finally:
            with suppress(LocationError):  # who may not remove it leaves some bytes
                self.remove(name)

    def _at(self, name: str) -> Place:
        store, prefix = self._place
        return Place(store, f"{prefix}/{name}" if prefix else name)


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except ObjectStoreError as error:
        raise LocationError(str(error), fix=error.fix or FIX) from error
