"""What the system keeps for a process, and how each thing is read and put back."""

# What signal is made of, at a thirtieth of the cost: that makes members of an Enum of all numbers.
import _signal  # type: ignore[import-not-found]
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from alo.named_tuples import NamedTuple

try:
    import _locale  # what the module locale is made of, at a hundredth of its cost
except ImportError:
    _locale = None  # type: ignore[assignment]

ABSENT: Any = object()  # in the place of a value: there is none
LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
SIGNALS = tuple(int(each) for each in signal.Signals)
HAS_CORES = sys.platform == "linux"
SOON_S = 0.1  # two ends of a timer that are not further apart are one


class Setting(NamedTuple):
    """One thing, or several under their keys.

    A list may have things added to it, also in a NamedTuple; other values are taken as a whole.
    """

    read: Callable[[], dict[Any, Any]]
    write: Callable[[Any, Any], object]  # a key, and its value or ABSENT
    module: str = ""  # it is there only once this is imported
    new: Any = ABSENT  # a value before anyone has changed it


def single(read: Callable[[], Any], write: Callable[[Any], object], module: str = "") -> Setting:
    """A setting that is one thing, read and written as a whole, without keys."""
    return Setting(lambda: {"": read()}, lambda _, value: write(value), module)


def together(
    read: Callable[[], dict[str, Any]], write: Mapping[str, Callable[[Any], object]]
) -> Setting:
    """Several that are one thing each, read in one go: each look at a setting costs as much again.

    Args:
        write: by the same names.
    """

    def put_back(name: str, value: Any) -> None:
        if value is not ABSENT:  # it could not be read before
            write[name](value)

    return Setting(read, put_back)


class Timer(NamedTuple):
    """A timer's remaining time differs whenever one looks; when it is over does not."""

    seconds: float
    interval: float
    read_at: float

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timer) or self.interval != other.interval:
            return False
        if not self.seconds or not other.seconds or self.interval:
            return bool(self.seconds) == bool(other.seconds)
        return abs(self.read_at + self.seconds - other.read_at - other.seconds) < SOON_S


STOPPED = Timer(0.0, 0.0, 0.0)


def _read_timers() -> dict[int, Timer]:
    return {number: _timer_of(*signal.getitimer(number)) for number in TIMERS}


def _timer_of(seconds: float, interval: float) -> Timer:
    return Timer(seconds, interval, time.monotonic()) if seconds else STOPPED


def stop_timers() -> None:
    """No alarm of a step may come any more."""
    for number in TIMERS:
        signal.setitimer(number, 0)
    if faulthandler := sys.modules.get("faulthandler"):
        faulthandler.cancel_dump_traceback_later()


def _write_timer(number: int, timer: Timer) -> None:
    left = max(0.001, timer.seconds + timer.read_at - time.monotonic()) if timer.seconds else 0.0
    signal.setitimer(number, left, timer.interval)


def _read_signals() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():  # no other may set them
        return {}
    return dict(zip(SIGNALS, map(_signal.getsignal, SIGNALS), strict=True))


def _write_signal(number: int, handler: Any) -> None:
    if handler is not None:  # of a library in C
        signal.signal(number, handler)


def _read_environment() -> dict[bytes, bytes]:
    # Public names would decode each, at a hundred times the cost.
    found: dict[bytes, bytes] = os.environ._data.copy()  # type: ignore[attr-defined]
    return found


def _write_environment(name: bytes, value: bytes) -> None:
    if value is ABSENT:
        del os.environb[name]
    else:
        os.environb[name] = value


def _read_folder() -> dict[str, str]:
    with suppress(OSError):  # it was deleted
        return {"": os.getcwd()}
    return {}


def _write_folder(_: str, path: str) -> None:
    if path is not ABSENT:
        os.chdir(path)


def _read_umask() -> int:
    mask = os.umask(0o077)  # there is no other way; what another thread makes now stays private
    os.umask(mask)
    return mask


def _write_limit(number: int, value: tuple[int, int]) -> None:
    try:
        resource.setrlimit(number, value)
    except (OSError, ValueError):  # its upper bound was lowered, which only root can undo
        upper = resource.getrlimit(number)[1]
        resource.setrlimit(number, (upper, upper))


def _write_cores(value: set[int]) -> None:
    if HAS_CORES:
        os.sched_setaffinity(0, value)


def _read_of_process() -> dict[str, Any]:
    return {
        "blocked signals": _signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "time zone": (time.tzname, time.timezone, time.altzone),
        "umask": _read_umask(),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "cores": os.sched_getaffinity(0) if HAS_CORES else (),
        "locale": _locale.setlocale(_locale.LC_ALL, None) if _locale else "",
    }


SYSTEM_SETTINGS = {
    # In this order: no alarm may come once its handler is another's.
    "timers": Setting(_read_timers, _write_timer),
    "signals": Setting(_read_signals, _write_signal),
    "environment": Setting(_read_environment, _write_environment),
    "working folder": Setting(_read_folder, _write_folder),
    "process": together(
        _read_of_process,
        {
            "blocked signals": lambda value: signal.pthread_sigmask(signal.SIG_SETMASK, value),
            "time zone": lambda _: time.tzset(),  # as the environment says, which is put back
            "umask": os.umask,
            "priority": lambda value: os.setpriority(os.PRIO_PROCESS, 0, value),
            "cores": _write_cores,
            "locale": lambda value: _locale.setlocale(_locale.LC_ALL, value),
        },
    ),
    "limits": Setting(
        lambda: dict(zip(LIMITS, map(resource.getrlimit, LIMITS), strict=True)), _write_limit
    ),
}
