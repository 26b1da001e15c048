"""A pickle stream on its way to the disk; written only if it differs from the one before."""

from __future__ import annotations

import os
from types import TracebackType

import xxhash

from alo.files import CHUNK
from alo.store.blobs import BlobDir, Draft
from alo.store.manifest import NO_BLOB, Part, StoredValue

INLINE = 4096  # a stream up to here is stored in the manifest


class OldStream:
    """The stream of the value that a step was given, to compare with; there may be none."""

    def __init__(self, blob_dir: BlobDir, value: StoredValue | None) -> None:
        self.part: Part | None = None
        stream = value.stream if value else None
        if isinstance(stream, Part) and blob_dir.take(stream.blob, stream.end):
            self._descriptor = os.open(blob_dir.path(stream.blob), os.O_RDONLY | os.O_CLOEXEC)
            self.part = stream

    def __enter__(self) -> OldStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.part is not None:
            os.close(self._descriptor)

    def continues_with(self, content: memoryview, position: int) -> bool:
        """Whether these bytes are at this position."""
        if self.part is None or position + len(content) > self.part.size:
            return False
        return all(
            os.pread(self._descriptor, len(piece), self.part.offset + position + start)
            == bytes(piece)
            for start in range(0, len(content), CHUNK)
            for piece in (content[start : start + CHUNK],)
        )

    def copy_to(self, draft: Draft, size: int) -> None:
        """Copy the first ``size`` bytes."""
        if self.part is not None:
            draft.append_from(self._descriptor, offset=self.part.offset, size=size)


class StreamWriter:
    """Takes a stream; it ends up in the manifest, in a draft, or is found to be stored already."""

    def __init__(self, draft: Draft, old: OldStream) -> None:
        draft.clear()
        self._draft, self._old = draft, old
        self._is_old = old.part is not None  # so far
        self._short = bytearray()
        self._size = 0
        self._digest = xxhash.xxh3_128()

    def write(self, content: bytes) -> int:
        """Called by pickle with the next bytes; returns how many there were."""
        view = memoryview(content)
        self._digest.update(view)
        if self._is_old and not self._old.continues_with(view, self._size):
            self._differ()
        if not self._is_old:
            self._keep(view)
        self._size += len(view)
        return len(view)

    def end(self, step: str) -> bytes | Part:
        """The whole stream if it is short, else where it is; ``step`` wrote it if it is new."""
        old = self._old.part
        if self._is_old and old is not None:
            if self._size == old.size:
                return old
            self._differ()
        if not self._draft.size:
            return bytes(self._short)
        return Part(NO_BLOB, 0, self._size, self._digest.hexdigest(), step)

    def _differ(self) -> None:
        self._old.copy_to(self._draft, self._size)
        self._is_old = False

    def _keep(self, view: memoryview) -> None:
        if not self._draft.size and len(self._short) + len(view) <= INLINE:
            self._short += view
            return
        if self._short:
            self._draft.append(bytes(self._short))
            self._short.clear()
        self._draft.append(view)
