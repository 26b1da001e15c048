"""Which process is meant, and whether it still lives."""

from __future__ import annotations

import os


def mark_of(pid: int) -> str:
    """What tells a process from a later one of the same number; empty where it does not live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # A name may hold anything, so from behind it: when the process began.
            return f"{pid} {file.read().rpartition(b')')[2].split()[19].decode()}"
    except (FileNotFoundError, ProcessLookupError):
        return f"{pid}" if not os.path.isdir("/proc/self") and lives(pid) else ""


def lives(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (OSError, OverflowError):
        return False
    return True
