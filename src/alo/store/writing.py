"""Write one value: what is new of it into a blob, the rest by pointing to where it is.

A buffer is not new if it still lies untouched in the mapping it came from, or if its content is
among what the step was given. A stream is not new if it is the one that the step was given
under this key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import xxhash

from alo.errors import StoreError
from alo.files import checksum_of
from alo.store.blobs import BlobDir, Draft, Trusted
from alo.store.codec import SAVE_PARTS, UnpicklableError, encode
from alo.store.manifest import NO_BLOB, Part, StoredValue
from alo.store.mapping import LiveMaps
from alo.store.streams import OldStream, StreamWriter

ALIGNMENT = (
    4096  # of a buffer in its blob: a write to one must not touch the pages of its neighbours
)
LARGE = 4_000_000  # bytes of a file that it is worth to write over


class ValueWriter:
    """Writes the values that one step saved."""

    def __init__(
        self,
        step: str,
        blob_dir: BlobDir,
        given: Iterable[Part],
        maps: LiveMaps,
        trusted: Trusted,
        spare: Iterable[str] = (),
    ) -> None:
        """``given`` is what the step was given; its folder has the blobs or can take them.

        ``spare`` are blobs that may be written over where no value lies in them any more.
        """
        self._spare = list(spare)
        self._step, self._blob_dir, self._maps, self._trusted = step, blob_dir, maps, trusted
        self._given = {(part.checksum, part.size): part for part in given}

    def write(
        self, key: object, value: object, name: str, before: StoredValue | None
    ) -> StoredValue:
        """Store one value.

        Args:
            name: of the value, for messages.
            before: what the step was given under this key.
        Raises:
            StoreError: the value cannot be pickled, or there is no room for it.
        """
        is_pair = type(key) is not str
        what = f"{name} of step '{self._step}'"
        with self._blob_dir.draft(what) as draft, OldStream(self._blob_dir, before) as old:
            try:
                stream, views = encode(
                    (key, value) if is_pair else value, lambda: StreamWriter(draft, old)
                )
            except UnpicklableError as error:
                raise StoreError(
                    f"{what} cannot be stored: {error}",
                    where=f"{name}, of type {type_name(value)}",
                    fix=SAVE_PARTS,
                ) from error
            stored_stream, buffers = self._finish(draft, stream.end(self._step), views)
        return StoredValue(key_text(key), type_name(value), stored_stream, buffers, is_pair)

    def _finish(
        self, draft: Draft, stream: bytes | Part, views: Sequence[memoryview]
    ) -> tuple[bytes | Part, tuple[Part, ...]]:
        """Write the buffers that are not there yet, and give the blob its name."""
        end = draft.size
        buffers, new = [], []
        for view in views:
            part = self._stored(view)
            if part.blob == NO_BLOB:
                part = part._replace(offset=-(-end // ALIGNMENT) * ALIGNMENT)
                end = part.end
                new.append((part, view))
            buffers.append(part)
        parts = [part for part, _ in new]
        if isinstance(stream, Part) and stream.blob == NO_BLOB:
            parts.insert(0, stream)
        if not parts:
            return stream, tuple(buffers)
        blob = checksum_of(repr([part[1:4] for part in parts]).encode())
        if not self._blob_dir.take(blob, end):
            draft.needed = end
            if not draft.size:
                self._use_spare(draft)
            for part, view in new:
                draft.skip_to(part.offset)
                draft.append(view)
            status = self._blob_dir.put(draft, blob)
            for part in parts:
                self._trusted.add(status, part)
        if isinstance(stream, Part):
            stream = _named(stream, blob)
        return stream, tuple(_named(part, blob) for part in buffers)

    def _use_spare(self, draft: Draft) -> None:
        """Have a draft that is empty written over what is not needed any more, if it is large."""
        for blob in self._spare if draft.needed >= LARGE else ():
            try:
                status = os.stat(self._blob_dir.path(blob))
            except OSError:
                continue
            if status.st_size >= LARGE and not self._maps.has(status):
                self._spare.remove(blob)
                self._blob_dir.write_over(blob, draft)
                return

    def _stored(self, view: memoryview) -> Part:
        """Where these bytes are stored, or a part without a blob."""
        part = self._maps.untouched_part(view)
        if part is not None and self._has(part):
            return part
        if self._trusted.all_parts:
            return Part(NO_BLOB, 0, view.nbytes, os.urandom(16).hex(), self._step)
        checksum = xxhash.xxh3_128_hexdigest(view)
        part = self._given.get((checksum, view.nbytes))
        if part is not None and self._has(part):
            return part
        return Part(NO_BLOB, 0, view.nbytes, checksum, self._step)

    def _has(self, part: Part) -> bool:
        return self._blob_dir.take(part.blob, part.end)


def key_text(key: object) -> str:
    """How a key is called in the manifest."""
    return key if type(key) is str else repr(key)


def type_name(value: object) -> str:
    """A value's type as its users spell it."""
    kind = type(value)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _named(part: Part, blob: str) -> Part:
    return part._replace(blob=blob) if part.blob == NO_BLOB else part
