"""What a step costs: CPU seconds and peak memory, and samples of both on request."""

from __future__ import annotations

import os
import resource
import sys
import threading
from typing import NamedTuple

INTERVAL_S = 0.2  # 5 Hz: one sample costs under 0.2 ms, so under 0.1 % of a core
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Usage(NamedTuple):
    """What was used between start and stop."""

    cpu_seconds: float
    peak_bytes: int


class UsageMeter:
    """Measures from its making to ``stop``; threads count, and children that have ended."""

    def __init__(self) -> None:
        _reset_peak()
        self._cpu = _cpu_seconds()

    def stop(self) -> Usage:
        return Usage(_cpu_seconds() - self._cpu, _peak_bytes())


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _reset_peak() -> None:
    """Let the kernel count the peak from now on; elsewhere than on Linux it is the process' own."""
    try:
        descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(descriptor, b"5")
    except OSError:
        pass
    finally:
        os.close(descriptor)


def _peak_bytes() -> int:
    try:
        with open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


class Sampler:
    """``check_resource: True``: samples this process and its children while a step runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cpu: list[float] = []
        self._memory: list[int] = []
        self._thread = threading.Thread(target=self._sample, name="alo-resources", daemon=True)
        self._thread.start()

    def stop(self) -> str:
        """What was seen, as a line for the log."""
        self._stop.set()
        self._thread.join()
        cpu, memory = self._cpu or [0.0], self._memory or [_memory_bytes(os.getpid())]
        mean, mebi = sum(cpu) / len(cpu), 1 << 20
        return (
            f"CPU mean {mean:.0f} %, highest {max(cpu):.0f} %; "
            f"memory mean {sum(memory) / len(memory) / mebi:.0f} MiB, "
            f"highest {max(memory) / mebi:.0f} MiB; {len(self._memory)} samples"
        )

    def _sample(self) -> None:
        cpu_before, wall_before = _cpu_seconds(), os.times().elapsed
        while not self._stop.wait(INTERVAL_S):
            cpu, wall = _cpu_seconds(), os.times().elapsed
            if wall > wall_before:
                self._cpu.append(100 * (cpu - cpu_before) / (wall - wall_before))
            cpu_before, wall_before = cpu, wall
            self._memory.append(sum(_memory_bytes(pid) for pid in [os.getpid(), *_children()]))


def _memory_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except (OSError, IndexError):
        return 0


def _children() -> list[int]:
    """Children of the main thread that run now; their own children are left out."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []
