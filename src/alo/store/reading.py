"""Read one value: map its blobs copy-on-write, each checked once in a process."""

from __future__ import annotations

import os
from types import TracebackType

import xxhash

from alo.errors import StoreError
from alo.files import CHUNK
from alo.store.blobs import BlobDir, Trusted
from alo.store.codec import SAVE_PARTS, decode
from alo.store.manifest import Part, StoredStep, StoredValue
from alo.store.mapping import LiveMaps, PrivateMap


class ValueReader:
    """Reads the values of one stored step."""

    def __init__(self, stored: StoredStep, blob_dir: BlobDir, maps: LiveMaps, trusted: Trusted):
        self._step, self._blob_dir, self._maps, self._trusted = stored.step, blob_dir, maps, trusted

    def read(self, value: StoredValue, name: str) -> tuple[str, object]:
        """The key and the value, which no one else has a hand on.

        Args:
            name: of the value, for messages.
        Raises:
            StoreError: it is missing or damaged, or its class does not take it back.
        """
        what = f"{name}, which step '{self._step}' saved,"
        with _Blobs(what, self._blob_dir, self._maps, self._trusted) as blobs:
            stream = value.stream
            content = blobs.view(stream) if isinstance(stream, Part) else stream
            buffers = [blobs.view(part) for part in value.buffers]
        try:
            found = decode(content, buffers)
        except (Exception, SystemExit) as error:
            raise StoreError(
                f"{what} cannot be read back: {type(error).__name__}: {error}",
                where=f"{name}, of type {value.type}",
                fix=SAVE_PARTS,
            ) from error
        return found if value.is_pair else (value.key, found)  # type: ignore[return-value]


class _OpenBlob:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.status = os.fstat(descriptor)
        self.mapping: PrivateMap | None = None
        self.handed_out: set[int] = set()


class _Blobs:
    """The blobs of one value while it is read."""

    def __init__(self, what: str, blob_dir: BlobDir, maps: LiveMaps, trusted: Trusted) -> None:
        self._what, self._blob_dir, self._maps, self._trusted = what, blob_dir, maps, trusted
        self._open: dict[str, _OpenBlob] = {}

    def __enter__(self) -> _Blobs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for blob in self._open.values():
            os.close(blob.descriptor)

    def view(self, part: Part) -> memoryview:
        """The bytes of a part in memory of their own, writable."""
        try:
            blob = self._open.get(part.blob) or self._open_blob(part.blob)
            self._check(part, blob)
            return self._bytes(part, blob)
        except FileNotFoundError as error:
            raise self._unusable(part, "is missing") from error
        except OSError as error:
            raise self._unusable(part, f"cannot be read: {error.strerror}") from error

    def _open_blob(self, name: str) -> _OpenBlob:
        descriptor = os.open(self._blob_dir.path(name), os.O_RDONLY | os.O_CLOEXEC)
        blob = self._open[name] = _OpenBlob(descriptor)
        return blob

    def _check(self, part: Part, blob: _OpenBlob) -> None:
        if self._trusted.has(blob.status, part):
            return
        # Read, not mapped: pages that were only checked are not to count as this process's memory.
        if _checksum(blob.descriptor, part) != part.checksum:
            self._blob_dir.drop(part.blob)
            raise self._unusable(part, "is damaged")
        self._trusted.add(blob.status, part)

    def _bytes(self, part: Part, blob: _OpenBlob) -> memoryview:
        # Two equal arrays of a value may be one part, and must not become one array.
        if blob.mapping is None or part.offset in blob.handed_out:
            blob.mapping, blob.handed_out = self._maps.map(blob.descriptor), set()
        if blob.mapping is None:
            return memoryview(_read(blob.descriptor, part))
        blob.handed_out.add(part.offset)
        return self._maps.view(blob.mapping, part)

    def _unusable(self, part: Part, reason: str) -> StoreError:
        return StoreError(
            f"{self._what} {reason}",
            where=str(self._blob_dir.path(part.blob)),
            fix=f"run the pipeline again from step '{part.step}', which wrote it",
        )


def _checksum(descriptor: int, part: Part) -> str:
    digest = xxhash.xxh3_128()
    buffer = memoryview(bytearray(min(CHUNK, part.size)))
    position = part.offset
    while position < part.end:
        size = os.preadv(descriptor, [buffer[: part.end - position]], position)
        if not size:
            break  # shorter than it was: the checksum will detect it
        digest.update(buffer[:size])
        position += size
    return digest.hexdigest()


def _read(descriptor: int, part: Part) -> bytearray:
    content = bytearray(part.size)
    view = memoryview(content)
    done = 0
    while done < part.size and (size := os.preadv(descriptor, [view[done:]], part.offset + done)):
        done += size
    return content
