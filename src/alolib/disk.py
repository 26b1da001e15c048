"""What is wrong when a disk refuses, and what mends it: the one place that knows a full one."""

from __future__ import annotations

import errno
import os

LEAST_BYTES = 1_000_000  # with less, a disk counts as full
_FULL = {  # → how to see it
    errno.ENOSPC: "df -h and df -i show how much is free",
    errno.EDQUOT: "quota -s shows how much you may have there",
}
_FULL_TEXTS = ("no space left on device", "disk quota exceeded")  # as other programs print it
_FIXES = {
    errno.EROFS: "mount the disk for writing: it is mounted read-only",
    errno.EFBIG: "let a process write larger files: ulimit -f unlimited",
    errno.EIO: "see to the disk, which has failed: dmesg shows more",
    errno.EMFILE: "let a process open more files: ulimit -n 1024",
    errno.ENFILE: "close programs: the whole system has no more files to open",
}


def free_bytes(folder: str | os.PathLike[str]) -> int | None:
    """How much room there is for this user; None where the file system does not say."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize if status.f_blocks else None


def fix_of_full(folder: str | os.PathLike[str]) -> str:
    """What mends a disk that is full, whatever has failed on it; empty where it is not."""
    free = free_bytes(folder)
    return "" if free is None or free >= LEAST_BYTES else fix_of(OSError(errno.ENOSPC, ""))


def is_full(error: BaseException) -> bool:
    """Whether it is for lack of room that something could not be written."""
    return isinstance(error, OSError) and error.errno in _FULL


def reports_full(text: str) -> bool:
    """Whether another program's output says that there was no room."""
    return any(each in text.lower() for each in _FULL_TEXTS)


def fix_of(error: OSError, *, needed: int = 0, other: str = "") -> str:
    """What mends an error of the system.

    Args:
        needed: the bytes that were to be written, where that is known.
        other: what to say of errors that nothing is known of here.
    """
    number = error.errno or 0
    if number not in _FULL:
        return _FIXES.get(number, other)
    amount = f" for {needed:,} bytes" if needed else ""
    return f"make room{amount} on the disk, and try again; {_FULL[number]}"
