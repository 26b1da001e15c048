"""Deflate in blocks that several cores make independently, one stream to any gzip or zip reader.

Each block ends on a whole byte, so blocks follow one another in a stream as they are, in more
than one archive if need be. ``END`` closes the stream.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

BLOCK_BYTES = 512 << 10
END = b"\x03\x00"  # an empty last block
LEVEL_HERE = 1  # zlib's, for the little there is when no thread is started
LEVEL_IN_THREADS = 2  # ISA-L's: as dense as zlib's 4, at many times its speed
SAMPLES, SAMPLE_BYTES = 4, 4096
WORTH_IT = 0.95  # of the size; what does not shrink to that is stored as it is
STORED_MAX = 65_535
IN_FLIGHT = 8


class Block(NamedTuple):
    """A piece of a deflate stream."""

    content: bytes
    size: int  # before compression
    crc: int


class Pending(Protocol):
    """A block that is being made."""

    def result(self) -> Block:
        """The block; waits until it is made."""


Compress = Callable[[bytes], Pending]
Combine = Callable[[int, int, int], int]  # crc of a, crc of b, length of b -> crc of a + b


class Made(NamedTuple):
    """A block that is there already."""

    block: Block

    def result(self) -> Block:
        """The block, at once."""
        return self.block


def compress_here(data: bytes) -> Made:
    """Compress with zlib, at once: for archives so small that threads would cost more."""
    maker = zlib.compressobj(LEVEL_HERE, wbits=-15)
    content = maker.compress(data) + maker.flush(zlib.Z_SYNC_FLUSH)
    return Made(Block(content, len(data), zlib.crc32(data)))


@contextmanager
def compressing(size: int) -> Iterator[Compress]:
    """A way to compress ``size`` bytes: in threads when that is worth their start."""
    if size < BLOCK_BYTES:
        yield compress_here
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(os.cpu_count(), "compress") as pool:
        try:
            yield lambda data: pool.submit(_compress, data)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def combine(crc: int, block: Block, size_before: int) -> int:
    """The crc of a stream with one more block."""
    if not size_before:
        return block.crc
    from isal import isal_zlib

    return isal_zlib.crc32_combine(crc, block.crc, block.size)


def _compress(data: bytes) -> Block:
    from isal import isal_zlib

    crc = isal_zlib.crc32(data)
    if _is_dense(data):
        return Block(_stored(data), len(data), crc)
    maker = isal_zlib.compressobj(LEVEL_IN_THREADS, wbits=-15)
    content = maker.compress(data) + maker.flush(isal_zlib.Z_SYNC_FLUSH)
    return Block(content, len(data), crc)


def _is_dense(data: bytes) -> bool:
    """Whether compression would gain nothing, by a few samples (random numbers, images)."""
    from isal import isal_zlib

    if len(data) < SAMPLES * SAMPLE_BYTES:
        return False
    step = (len(data) - SAMPLE_BYTES) // (SAMPLES - 1)
    sample = b"".join(data[at : at + SAMPLE_BYTES] for at in range(0, SAMPLES * step, step))
    return len(isal_zlib.compress(sample, 1)) > WORTH_IT * len(sample)


def _stored(data: bytes) -> bytes:
    """Deflate's own form of data as it is: a length, its complement, the bytes."""
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    for start in range(0, len(data), STORED_MAX):
        part = view[start : start + STORED_MAX]
        length = len(part)
        parts += (
            b"\0",
            length.to_bytes(2, "little"),
            (length ^ 0xFFFF).to_bytes(2, "little"),
            part,
        )
    return b"".join(parts)


class Order:
    """Does what is to be written in the order it was asked for, as the blocks get ready."""

    def __init__(self) -> None:
        self._todo: deque[Callable[[], object]] = deque()

    def then(self, action: Callable[[], object]) -> None:
        """Do ``action`` after all before it; waits for the oldest ones if too many are due."""
        self._todo.append(action)
        while len(self._todo) > IN_FLIGHT:  # bounds the memory, too
            self._todo.popleft()()

    def finish(self) -> None:
        """Do all that is still due."""
        while self._todo:
            self._todo.popleft()()
