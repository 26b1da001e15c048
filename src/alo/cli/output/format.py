"""Durations, sizes and paths as people read them."""

from __future__ import annotations

import os


def duration(seconds: float) -> str:
    """``0.04 s``, ``12.3 s``, ``2 min 05 s``, ``3 h 20 min``."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def whole_seconds(seconds: float) -> str:
    """As ``duration``, for a clock that ticks: ``12 s``."""
    return f"{int(seconds)} s" if seconds < 60 else duration(int(seconds))


def size(count: float) -> str:
    """``812 B``, ``1.4 MB``; units of 1000, as in the plan's ``backup_size``."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 9.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def short_path(path: str) -> str:
    """As one would type it here; in full where that would lead up and down again."""
    try:
        relative = os.path.relpath(path)
    except FileNotFoundError:  # there is no here any more
        return path
    return path if relative.startswith("..") else relative
