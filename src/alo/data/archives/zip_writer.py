"""Write a .zip, its members compressed in blocks by several cores; zip64 where sizes need it."""

from __future__ import annotations

import struct
import time
from functools import partial
from typing import BinaryIO

from alo.data.archives.blocks import END, Compress, Order, Pending, combine

UTF8 = 1 << 11
STORED, DEFLATED = 0, 8
UNIX = 3 << 8
VERSION, VERSION_64 = 20, 45
FULL_16, FULL_32 = 0xFFFF, 0xFFFFFFFF
LIKELY_64 = 0xF0000000  # a content of this size may grow over 4 GiB when it is stored


class _Entry:
    """What the directory at the archive's end says about one member."""

    def __init__(self, name: bytes, mtime: int, mode: int, *, is_64: bool) -> None:
        self.name, self.mode, self.is_64 = name, mode, is_64
        # A reader that expects UTF-8 where there is none refuses the whole archive.
        self.flags = UTF8 if _is_utf8(name) else 0
        self.method = STORED if name.endswith(b"/") else DEFLATED
        self.stamp = _dos_time(mtime)
        self.crc = self.size = self.packed = self.offset = 0


class ZipWriter:
    """One archive: for each member ``header``, ``write_block``, ``end``; then ``close``."""

    def __init__(self, file: BinaryIO, compress: Compress) -> None:
        self._file = file
        self._order = Order()
        self._entries: list[_Entry] = []
        self._compress = compress

    def header(self, name: str, size: int, mtime: int, mode: int, *, is_folder: bool) -> None:
        """Begin a member; ``size`` only decides whether it may need zip64."""
        encoded = (name + "/" if is_folder else name).encode("utf-8", "surrogateescape")
        full_mode = mode | (0o040000 if is_folder else 0o100000)
        entry = _Entry(encoded, mtime, full_mode, is_64=size >= LIKELY_64)
        self._entries.append(entry)
        self._order.then(partial(self._begin, entry))

    def write_block(self, block: Pending) -> None:
        """Add a block to the member that was begun last."""
        self._order.then(partial(self._take, self._entries[-1], block))

    def end(self) -> None:
        """End that member."""
        self._order.then(partial(self._end, self._entries[-1]))

    def close(self) -> None:
        """Write the central directory; the file itself stays open."""
        self._order.finish()
        start = self._file.tell()
        for entry in self._entries:
            self._file.write(_directory_entry(entry))
        self._file.write(_end_records(len(self._entries), start, self._file.tell() - start))

    def _begin(self, entry: _Entry) -> None:
        entry.offset = self._file.tell()
        self._file.write(_local_header(entry))

    def _take(self, entry: _Entry, pending: Pending) -> None:
        block = pending.result()
        self._file.write(block.content)
        entry.crc = combine(entry.crc, block, entry.size)
        entry.size += block.size
        entry.packed += len(block.content)

    def _end(self, entry: _Entry) -> None:
        """Close the member's stream, and put into its header what is known only now."""
        if entry.method == DEFLATED:
            self._file.write(END)
            entry.packed += len(END)
        end = self._file.tell()
        self._file.seek(entry.offset)
        self._file.write(_local_header(entry))
        self._file.seek(end)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _dos_time(mtime: int) -> tuple[int, int]:
    year, month, day, hour, minute, second = time.localtime(mtime)[:6]
    if not 1980 <= year <= 2107:
        year, month, day, hour, minute, second = 1980, 1, 1, 0, 0, 0
    return (hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day)


def _local_header(entry: _Entry) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.packed) if entry.is_64 else b""
    sizes = (FULL_32, FULL_32) if entry.is_64 else (entry.packed, entry.size)
    version = VERSION_64 if entry.is_64 else VERSION
    fields = (version, entry.flags, entry.method, *entry.stamp, entry.crc, *sizes)
    lengths = (len(entry.name), len(extra))
    return struct.pack("<4s5H3L2H", b"PK\3\4", *fields, *lengths) + entry.name + extra


def _directory_entry(entry: _Entry) -> bytes:
    values = (entry.size, entry.packed, entry.offset)
    is_64 = any(value >= FULL_32 for value in values) or entry.is_64
    extra = struct.pack("<HHQQQ", 1, 24, *values) if is_64 else b""
    size, packed, offset = (FULL_32,) * 3 if is_64 else values
    version = VERSION_64 if is_64 else VERSION
    head = (
        UNIX | version,
        version,
        entry.flags,
        entry.method,
        *entry.stamp,
        entry.crc,
        packed,
        size,
    )
    tail = (len(entry.name), len(extra), 0, 0, 0, entry.mode << 16, offset)
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", *head, *tail) + entry.name + extra


def _end_records(count: int, start: int, size: int) -> bytes:
    short = struct.pack(
        "<4s4H2LH",
        b"PK\5\6",
        0,
        0,
        min(count, FULL_16),
        min(count, FULL_16),
        min(size, FULL_32),
        min(start, FULL_32),
        0,
    )
    if count < FULL_16 and start < FULL_32 and size < FULL_32:
        return short
    versions = (UNIX | VERSION_64, VERSION_64)
    long = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, *versions, 0, 0, count, count, size, start)
    place = struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
    return long + place + short
