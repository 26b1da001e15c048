"""Write a .tar.gz: pax headers, and content in blocks that may be shared with another archive.

``tarfile`` into ``isal.igzip_threaded`` would make the same archives, without this module. Measured
for both archives of 200 MB of text, it takes 2.8 times the processor time, as it compresses
twice what is in both, and for the few small files of an inference 1.0 ms where this takes 0.2.
"""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from alo.data.archives.blocks import BLOCK_BYTES, END, Compress, Order, Pending, combine

RECORD = 512
GZIP_HEADER = (
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # no name, no time: the same content gives the same archive
)
NAME_BYTES = 100
OCTAL_LIMIT = 8**11  # sizes from here on do not fit the old header


class TarGzWriter:
    """One archive; ``header`` and the content that belongs to it by turns, then ``close``."""

    def __init__(self, file: BinaryIO, compress: Compress) -> None:
        self._file, self._compress = file, compress
        self._order = Order()
        self._small = bytearray()  # what is waiting to become a block
        self._crc = self._size = 0
        file.write(GZIP_HEADER)

    def header(self, name: str, size: int, mtime: int, mode: int, *, is_folder: bool) -> None:
        """Begin a member; of a file, exactly ``size`` bytes of content have to follow."""
        self.write(tar_header(name, size, mtime, mode, is_folder=is_folder))

    def write(self, data: bytes) -> None:
        """Content that this archive compresses by itself, together with what is around it."""
        self._small += data
        if len(self._small) >= BLOCK_BYTES:
            self._flush()

    def write_block(self, block: Pending) -> None:
        """Content that has become a block already."""
        self._flush()
        self._order.then(partial(self._take, block))

    def pad(self, size: int) -> None:
        """Fill up the last record of a content of ``size`` bytes."""
        self.write(bytes(-size % RECORD))

    def close(self) -> None:
        """Write the end of the archive; the file itself stays open."""
        self.write(bytes(2 * RECORD))
        self._flush()
        self._order.finish()
        self._file.write(END)
        self._file.write(self._crc.to_bytes(4, "little"))
        self._file.write((self._size & 0xFFFFFFFF).to_bytes(4, "little"))

    def _flush(self) -> None:
        if self._small:
            block = self._compress(bytes(self._small))
            self._small.clear()
            self._order.then(partial(self._take, block))

    def _take(self, pending: Pending) -> None:
        block = pending.result()
        self._file.write(block.content)
        self._crc = combine(self._crc, block, self._size)
        self._size += block.size


def tar_header(name: str, size: int, mtime: int, mode: int, *, is_folder: bool) -> bytes:
    """A member's header, with an extended one before it for what the old format has no room for."""
    path = (name + "/" if is_folder else name).encode("utf-8", "surrogateescape")
    extended = {}
    if len(path) > NAME_BYTES or not path.isascii():
        extended[b"path"] = path
    if size >= OCTAL_LIMIT:
        extended[b"size"] = b"%d" % size
    if not 0 <= mtime < OCTAL_LIMIT:
        extended[b"mtime"] = b"%d" % mtime
    kind = b"5" if is_folder else b"0"
    main = _record(path, 0 if b"size" in extended else size, mtime, mode, kind)
    if not extended:
        return main
    pax = b"".join(_pax_line(key, value) for key, value in extended.items())
    before = _record(b"PaxHeader/" + path[:80], len(pax), 0, 0o644, b"x")
    return before + pax + bytes(-len(pax) % RECORD) + main


def _record(path: bytes, size: int, mtime: int, mode: int, kind: bytes) -> bytes:
    time = mtime if 0 <= mtime < OCTAL_LIMIT else 0
    before = path[:NAME_BYTES].ljust(NAME_BYTES, b"\0")
    before += b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, size, time)
    after = kind + bytes(NAME_BYTES) + b"ustar\x0000"
    after = after.ljust(RECORD - NAME_BYTES - 56, b"\0")
    total = sum(before) + sum(after) + 8 * ord(" ")  # the checksum's own place counts as blanks
    return before + b"%06o\0 " % total + after


def _pax_line(key: bytes, value: bytes) -> bytes:
    """``LENGTH key=value``, where the length counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if rest + len(str(length)) != length:
        length += 1
    return b"%d %s=%s\n" % (length, key, value)
