"""The report on a step whose process died or hung: how, where it was, and what it said last."""

import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alo.errors import MemoryGrantError, ServeError, StepError

LAST_LINES = 5
MEANINGS = {
    signal.SIGSEGV: "a segmentation fault: compiled code went wrong",
    signal.SIGBUS: "a bus error: a file that was mapped has become shorter, or a disk is full",
    signal.SIGABRT: "it was aborted: compiled code found a state that cannot be",
    signal.SIGFPE: "an arithmetic fault in compiled code",
    signal.SIGILL: "an illegal instruction: a package was built for another processor",
    signal.SIGKILL: "as the system does when memory runs out",
}
FRAME = re.compile(r'^\s*File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>.+)$')


class Ending(NamedTuple):
    """How a process ended."""

    status: int | None  # its exit status; negative: the signal that ended it; None: unknown
    cpu_seconds: float
    peak_bytes: int
    last_lines: Sequence[str]
    stacks: str  # what faulthandler wrote, the innermost frame first


class _Frame(NamedTuple):
    file: str
    line: int
    function: str


def crash_error(step: str, home: Path, ending: Ending) -> StepError:
    """The error for a process that ended without a result."""
    how, fix = _how(ending.status)
    return _error(step, home, ending, f"its process {how}", fix)


def boot_error(home: Path, ending: Ending) -> ServeError:
    """The error for a serving process that ended before it was ready."""
    how, _ = _how(ending.status)
    where, traceback = _trace(ending, home)
    what = f"the pipeline cannot be warmed up: its process {how}; {_peak(ending)}"
    return ServeError(what, where=where, user_traceback=traceback)


def boot_hang_error(home: Path, ending: Ending, limit_s: float) -> ServeError:
    """The error for a serving process that was ended because it was not ready in time."""
    where, traceback = _trace(ending, home)
    return ServeError(
        f"the pipeline is not warm after {limit_s:g} s",
        where=where,
        fix="see why its modules take so long to import, or raise --boot-timeout",
        user_traceback=traceback,
    )


def hang_error(step: str, home: Path, ending: Ending, limit_s: float) -> StepError:
    """The error for a process that was ended because its time was over."""
    where = "'timeout' next to the step in the plan" if step else "--request-timeout"
    fix = f"raise {where}, or see why it takes so long"
    return _error(step, home, ending, f"it took longer than its timeout of {limit_s:g} s", fix)


def memory_error(step: str, home: Path, ending: Ending, used: int, granted: int) -> StepError:
    """The error for a process that was ended because it used more memory than it may."""
    where, traceback = _trace(ending, home)
    return MemoryGrantError(
        f"step {step} used {_size(used)}, {_size(granted)} granted",
        where=where,
        fix="work on less data at once, or raise 'memory' of its resources in the plan",
        step=step,
        user_traceback=traceback,
    )


def _size(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 10**9 else f"{size / 1e6:.3g} MB"


def _error(step: str, home: Path, ending: Ending, how: str, fix: str) -> StepError:
    where, traceback = _trace(ending, home)
    subject = f"step '{step}'" if step else "the request"  # one that a worker serves
    return StepError(
        f"{subject} failed: {how}; {_peak(ending)}",
        where=where,
        fix=fix,
        step=step,
        user_traceback=traceback,
    )


def _trace(ending: Ending, home: Path) -> tuple[str, str]:
    """Where it was, and what is shown as the user's traceback."""
    frames = _frames(ending.stacks, home)
    where = _place(frames[0]) if frames else ""
    return where, "\n".join([*_said(ending.last_lines), *_told(frames, home)])


def _peak(ending: Ending) -> str:
    return f"peak memory {ending.peak_bytes / 1e6:,.0f} MB"


def _how(status: int | None) -> tuple[str, str]:
    if status is None:
        return "ended, and something in this process has taken its exit status", ""
    if status >= 0:
        return f"ended with exit status {status} in the middle of run()", "let run() return"
    try:
        number = signal.Signals(-status)
    except ValueError:
        return f"was ended by signal {-status}", ""
    meaning = f" ({MEANINGS[number]})" if number in MEANINGS else ""
    fix = "work on less data at once, or give the machine more memory"
    return f"was ended by {number.name}{meaning}", fix if number == signal.SIGKILL else ""


def _said(lines: Sequence[str]) -> list[str]:
    last = [line for line in lines if line.strip()][-LAST_LINES:]
    return ["what it said last:", *(f"  {line}" for line in last)] if last else []


def _frames(stacks: str, home: Path) -> list[_Frame]:
    """The project's frames of the first thread that has any, the innermost first."""
    for thread in re.split(r"^(?:Current thread|Thread) ", stacks, flags=re.MULTILINE):
        found = [match for line in thread.splitlines() if (match := FRAME.match(line))]
        frames = [_Frame(match["file"], int(match["line"]), match["function"]) for match in found]
        own = [frame for frame in frames if _is_of_project(frame.file, home)]
        if own:
            return [frame._replace(file=frame.file.removeprefix(f"{home}/")) for frame in own]
    return []


def _is_of_project(file: str, home: Path) -> bool:
    is_installed = "site-packages" in file or file.startswith(f"{home}/.alo/environments/")
    return file.startswith(f"{home}/") and not is_installed


def _place(frame: _Frame) -> str:
    return f"{frame.file}:{frame.line}, in {frame.function}()"


def _told(frames: Sequence[_Frame], home: Path) -> list[str]:
    if not frames:
        return []
    import linecache

    lines = ["where it was (most recent call last):"]
    for frame in reversed(frames):
        lines.append(f'  File "{home / frame.file}", line {frame.line}, in {frame.function}')
        if source := linecache.getline(str(home / frame.file), frame.line).strip():
            lines.append(f"    {source}")
    return lines
