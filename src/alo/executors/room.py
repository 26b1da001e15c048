"""How many tasks this machine has room for at once."""

from __future__ import annotations

import os

from alo.plan.model import Resources


def tasks_at_once(resources: Resources) -> int:
    """One for each core, or fewer where they ask for more cores or memory than that leaves.

    Args:
        resources: that a task asks for.
    """
    cores = os.cpu_count() or 1
    room = [cores / (resources.cpu or 1)]
    if resources.memory:
        room.append(_memory_bytes() / resources.memory)
    return max(1, int(min(*room, cores)))


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
