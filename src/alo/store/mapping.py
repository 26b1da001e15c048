"""Blobs mapped into memory copy-on-write, and whether a mapping was ever written to.

A private mapping shows the pages of its file; the kernel puts an anonymous page in the place of
each one that is written to, and ``/proc/self/pagemap`` distinguishes the two kinds. So bytes that
no one has touched need not be read to know that they are still the blob's. Where the kernel
does not report this, none count as untouched.
"""

from __future__ import annotations

import mmap
import os
import sys
from functools import cache
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from alo.store.manifest import Part

PAGEMAP = "/proc/self/pagemap"
ENTRY_SIZE = 8  # bytes of the page map for each page of memory
ENTRIES_AT_ONCE = 1 << 17
# The highest byte of an entry: 0x80 in memory, 0x40 swapped out, 0x20 a page of a file.
UNTOUCHED = bytes(top for top in range(256) if top & 0xE0 in (0x00, 0xA0))
TOP_BYTE = ENTRY_SIZE - 1 if sys.byteorder == "little" else 0

MOST_MAPPINGS = 256  # each holds a file descriptor, and a process has few


class PrivateMap(mmap.mmap):
    """A whole blob, mapped copy-on-write."""

    address: int
    file: tuple[int, int]  # device and inode
    parts: dict[int, Part]  # by address: what was handed out


class LiveMaps:
    """The mappings of this process that some value still lies in."""

    def __init__(self) -> None:
        # Weak: once its mapping is gone an address says nothing any more.
        self._maps: WeakSet[PrivateMap] = WeakSet()
        self._at: WeakValueDictionary[int, PrivateMap] = WeakValueDictionary()
        self._detects_writes: bool | None = None
        _notice_forks()

    def map(self, descriptor: int) -> PrivateMap | None:
        """Map a file, or None where that cannot be."""
        if len(self._maps) >= MOST_MAPPINGS:
            return None
        try:
            mapping = _map(descriptor)
            if self._detects_writes is None:
                self._detects_writes = detects_writes(descriptor)
        except OSError:  # no memory to promise, or none of the limited number of mappings left
            return None
        self._maps.add(mapping)
        return mapping

    def view(self, mapping: PrivateMap, part: Part) -> memoryview:
        """The bytes of a part, writable; what is written stays in this process."""
        address = mapping.address + part.offset
        mapping.parts[address] = part
        self._at[address] = mapping
        return memoryview(mapping)[part.offset : part.end]

    def has(self, file: os.stat_result) -> bool:
        """Whether a value may lie in a mapping of this file: here, or in a process forked by us."""
        at = file.st_dev, file.st_ino
        return _forks.has_forked or any(mapping.file == at for mapping in self._maps)

    def untouched_part(self, view: memoryview) -> Part | None:
        """The part that lies at exactly these bytes, if they are certainly still the blob's."""
        if not self._detects_writes or not self._maps:
            return None
        address = address_of(view)
        mapping = self._at.get(address)
        part = mapping.parts[address] if mapping is not None else None
        if part is None or part.size != view.nbytes or not is_untouched(address, part.size):
            return None
        return part


def is_untouched(address: int, size: int) -> bool:
    """Whether every page of these bytes of a private mapping is still the file's."""
    page = address // mmap.PAGESIZE
    end = (address + size - 1) // mmap.PAGESIZE + 1
    try:
        descriptor = os.open(PAGEMAP, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        while page < end:
            count = min(ENTRIES_AT_ONCE, end - page)
            entries = os.pread(descriptor, count * ENTRY_SIZE, page * ENTRY_SIZE)
            if len(entries) != count * ENTRY_SIZE:
                return False
            if entries[TOP_BYTE::ENTRY_SIZE].translate(None, UNTOUCHED):
                return False
            page += count
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def detects_writes(descriptor: int) -> bool:
    """Try it out: a mapping of this file is untouched until it is written to, and not after."""
    with _map(descriptor) as probe:
        if not is_untouched(probe.address, 1):
            return False
        first = probe[0]
        if not is_untouched(probe.address, 1):
            return False
        probe[0] = first
        return not is_untouched(probe.address, 1)


def address_of(view: memoryview) -> int:
    """Where in memory a contiguous view begins."""
    import ctypes  # 10 ms, and only large values need it

    buffer = _buffer_type()()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(buffer), 0)
    try:
        return int(buffer.address)
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))


@cache
def _buffer_type() -> Any:
    import ctypes

    class PyBuffer(ctypes.Structure):
        _fields_ = (
            ("address", ctypes.c_void_p),
            ("object", ctypes.c_void_p),
            ("size", ctypes.c_ssize_t),
            ("item_size", ctypes.c_ssize_t),
            ("is_readonly", ctypes.c_int),
            ("dimensions", ctypes.c_int),
            ("others", ctypes.c_void_p * 5),
        )

    return PyBuffer


def _map(descriptor: int) -> PrivateMap:
    # Without MAP_NORESERVE a frame larger than the memory could not be mapped, even if only read.
    flags = mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", 0)
    mapping = PrivateMap(descriptor, 0, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    mapping.address, mapping.parts = address_of(memoryview(mapping)), {}
    status = os.fstat(descriptor)
    mapping.file = status.st_dev, status.st_ino
    return mapping


class _Forks:
    """Whether this process has forked since it may have had mappings."""

    has_forked = False
    is_noticed = False


_forks = _Forks()


def _notice_forks() -> None:
    if not _forks.is_noticed:
        _forks.is_noticed = True
        os.register_at_fork(before=_note_fork)


def _note_fork() -> None:
    _forks.has_forked = True
