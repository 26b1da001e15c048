"""What a step costs: CPU seconds and peak memory, and samples of both on request."""

import os
import resource
import sys
import threading
from collections.abc import Iterator
from time import perf_counter, thread_time

from alo.named_tuples import NamedTuple

INTERVAL_S = 0.2
SHARE = 0.005  # of a core that sampling may take, where there are many children to look at
PIECE = 1 << 16  # bytes of a file of /proc that are read at once
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes


class Usage(NamedTuple):
    """What was used between start and stop."""

    cpu_seconds: float
    peak_bytes: int


NOT_MEASURED = Usage(0.0, 0)


class UsageMeter:
    """Measures from its making to ``stop``; threads count, and children that have ended."""

    def __init__(self) -> None:
        _reset_peak()
        self._cpu = _cpu_seconds()

    def stop(self) -> Usage:
        """CPU seconds since the meter was made, and the peak of memory in bytes."""
        return Usage(_cpu_seconds() - self._cpu, _peak_bytes())


def _cpu_seconds() -> float:
    return _own_cpu_seconds() + _cpu_of(resource.RUSAGE_CHILDREN)


def _own_cpu_seconds() -> float:
    return _cpu_of(resource.RUSAGE_SELF)


def _cpu_of(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _reset_peak() -> None:
    """Let the kernel count the peak from now on; on systems but Linux it is the process' own."""
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
    _, is_there, rest = _read("/proc/self/status").partition(b"VmHWM:")
    if is_there:
        return int(rest.split(None, 1)[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


class Sampler:
    """``check_resource: True``: samples this process and its children while a step runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._cpu: list[float] = []  # percent of a core
        self._memory: list[int] = []
        self._began = self._last = perf_counter()
        self._spent = _spent_by_all()
        self._spent_before = _total(self._spent)
        self._thread = threading.Thread(target=self._run, name="alo-resources", daemon=True)
        self._thread.start()

    def stop(self) -> str:
        """What was seen, as a line for the log."""
        self._stop.set()
        self._thread.join()
        self._sample()
        used = _total(self._spent) - self._spent_before
        mean = 100 * used / max(self._last - self._began, 1e-6)
        # Of children that have ended between two samples only the mean knows.
        highest = max(*self._cpu, mean)
        peak = max(*self._memory, _peak_bytes())
        mebi = 1 << 20
        return (
            f"CPU mean {mean:.0f} %, highest {highest:.0f} %; "
            f"memory mean {sum(self._memory) / len(self._memory) / mebi:.0f} MiB, "
            f"highest {peak / mebi:.0f} MiB; {len(self._memory)} samples"
        )

    def _run(self) -> None:
        pause = INTERVAL_S
        while not self._stop.wait(pause):
            before = thread_time()
            self._sample()
            pause = max(INTERVAL_S, (thread_time() - before) / SHARE)

    def _sample(self) -> None:
        spent, now = _spent_by_all(), perf_counter()
        # A process that is new has spent all it has since the last sample.
        used = sum(max(seconds - self._spent.get(pid, 0.0), 0.0) for pid, seconds in spent.items())
        self._cpu.append(100 * used / max(now - self._last, 1e-6))
        self._memory.append(sum(map(_memory_bytes, spent)))
        self._spent, self._last = spent, now


def _spent_by_all() -> dict[int, float]:
    """CPU seconds of this process and of those below it that run now."""
    spent = {pid: _spent_by(pid) for pid in _descendants()}
    return {os.getpid(): _own_cpu_seconds(), **spent}


def _total(spent: dict[int, float]) -> float:
    """CPU seconds of all these, and of children that have ended."""
    return sum(spent.values()) + _cpu_of(resource.RUSAGE_CHILDREN)


def tree_bytes(pid: int, limit: int) -> int:
    """The memory of a process and all below it, as exactly as it takes to compare it with a limit.

    What several of them share is counted for each at first; where that is too much, the kernel is
    asked for their shares of it, which takes longer.
    """
    family = [pid]
    for each in family:
        family += [child for thread in _threads_of(each) for child in _children(each, thread)]
    size = sum(map(_memory_bytes, family))
    return size if size <= limit else sum(map(_share_bytes, family))


def _share_bytes(pid: int) -> int:
    _, is_there, rest = _read(f"/proc/{pid}/smaps_rollup").partition(b"\nPss:")
    return int(rest.split(None, 1)[0]) * 1024 if is_there else _memory_bytes(pid)


def running_children() -> list[int]:
    """Ids of processes that this one has started and that have not ended."""
    return [pid for pid in _own_children() if _state(pid) not in (b"Z", b"")]


def _descendants() -> Iterator[int]:
    """Processes that this one and its children have started; of theirs, by main threads only."""
    waiting = _own_children()
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += _children(pid, pid)


def _own_children() -> list[int]:
    return [pid for thread in _threads() for pid in _children(os.getpid(), thread)]


def _threads() -> list[int]:
    return _threads_of(os.getpid())


def _threads_of(pid: int) -> list[int]:
    try:
        return [int(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _children(pid: int, thread: int) -> list[int]:
    return [int(child) for child in _read(f"/proc/{pid}/task/{thread}/children").split()]


def _state(pid: int) -> bytes:
    """One letter of a process; empty for one that is gone."""
    return b"".join(_fields(pid)[:1])


def _fields(pid: int) -> list[bytes]:
    """Of a process' status, from its state on."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()  # a name may hold anything


def _spent_by(pid: int) -> float:
    """CPU seconds of another process."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S if len(fields) > 12 else 0.0


def _memory_bytes(pid: int) -> int:
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGESIZE") if fields else 0


def _read(path: str) -> bytes:
    """A file of ``/proc``; empty for a process that is gone, and where there is no ``/proc``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    pieces = []
    try:
        while piece := os.read(descriptor, PIECE):
            pieces.append(piece)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return b"".join(pieces)
