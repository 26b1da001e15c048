"""Whatever an asset raises, its author sees their own frames, none of ours, and what helps."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.engine.steps.failures import LONGEST_PIECE, MOST_LINES, user_traceback
from alo.errors import StepError
from alo.processes.child import Child

from ...support.waiting import wait_until

MakeSolution = Callable[..., Path]
Run = Callable[..., tuple]

OURS = os.path.dirname(alo.__file__)
WHOLE = """\
import os, signal, sys, time
from alolib.asset import Asset
from alolib.errors import AloError


def interrupt(*_):
    raise KeyboardInterrupt


def leave(*_):
    sys.exit(4)


def bad(name, **how):
    return type(name, (Exception,), how)


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)

    @Asset.decorator_run
    def run(self):
        {code}
"""
GROUP = """\
try:
            self.asset.load_data()
        except AloError as error:
            raise ExceptionGroup("several", [error, ValueError("mine")])
"""
CAUSE = """\
try:
            self.asset.load_data()
        except AloError as error:
            raise ValueError("mine") from error
"""
RAISED = {  # what run() does → what the error says
    "an exit in its text": ("raise bad('Odd', __str__=leave)", "Odd"),
    "an interrupt in its text": ("raise bad('Odd', __str__=interrupt)", "Odd"),
    "an error in its text": ("raise bad('Odd', __str__=lambda self: 1 / 0)", "Odd"),
    "no text at all": ("raise bad('Odd', __str__=lambda self: None)", "Odd"),
    "half letters": ("raise ValueError('\\udcb0 \\ud800')", "ValueError: \udcb0 \ud800"),
    "a table": ("raise ValueError('x' * 3_000_000)", "(3,000,000 characters)"),
    "many lines": ("raise ValueError('x\\n' * 1_000_000)", "ValueError: x"),
    "endless recursion": ("(f := lambda: f())()", "RecursionError"),
    "our error as a cause": (CAUSE, "ValueError: mine"),
    "nothing known": ("raise BaseException('odd')", "BaseException: odd"),
    "the end of a generator": ("raise GeneratorExit", "GeneratorExit"),
    "too much memory": ("bytearray(1 << 60)", "out of memory"),
    "the end of the process": ("os._exit(7)", "exit(7)"),
}
INTERRUPTS = {
    "raised": "raise KeyboardInterrupt('mine')",
    "a signal": "os.kill(os.getpid(), signal.SIGINT); time.sleep(10)",
    "of a library": "import _thread; _thread.interrupt_main(); time.sleep(10)",
}
APART = {"isolation": "process"}


def failing(home: Path, run: Run) -> StepError:
    with pytest.raises(StepError) as caught:
        run(home)
    assert OURS not in caught.value.user_traceback
    assert "assets/bad/asset_bad.py" in caught.value.user_traceback
    assert caught.value.where.startswith("assets/bad/asset_bad.py:")
    return caught.value


@pytest.mark.parametrize("isolation", [{}, APART], ids=["memory", "process"])
@pytest.mark.parametrize("what", RAISED)
def test_what_is_raised_is_reported_without_our_frames(
    what: str, isolation: dict[str, str], make_solution: MakeSolution, run: Run
) -> None:
    code, reported = RAISED[what]
    home = make_solution({"bad": WHOLE.format(code=code)}, beside={"bad": isolation})

    error = failing(home, run)

    assert reported in error.what
    assert len(error.user_traceback) < 2 * LONGEST_PIECE
    assert error.user_traceback.count("\n") <= MOST_LINES


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups yet")
@pytest.mark.parametrize("isolation", [{}, APART], ids=["memory", "process"])
def test_a_group_has_none_of_our_frames_either(
    isolation: dict[str, str], make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"bad": WHOLE.format(code=GROUP)}, beside={"bad": isolation})

    error = failing(home, run)

    assert "ValueError: mine" in error.user_traceback


@pytest.mark.parametrize("what", INTERRUPTS)
def test_an_interrupt_of_a_steps_process_is_the_steps_own(
    what: str, make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"bad": WHOLE.format(code=INTERRUPTS[what])}, beside={"bad": APART})

    error = failing(home, run)

    assert "KeyboardInterrupt" in error.what
    assert OURS not in "".join(getattr(event, "text", "") for event in heard)


def test_a_crash_is_reported_by_us_also_where_the_asset_has_asked_python(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    code = "import faulthandler, ctypes; faulthandler.enable(); ctypes.string_at(0)"
    home = make_solution({"bad": WHOLE.format(code=code)}, beside={"bad": APART})

    error = failing(home, run)

    assert "SIGSEGV" in error.what
    assert OURS not in "".join(getattr(event, "text", "") for event in heard)


@pytest.mark.parametrize("module", ["alo.engine.steps.process_main", "alo.workers.process"])
def test_a_process_that_is_interrupted_while_it_waits_says_nothing(
    module: str, tmp_path: Path
) -> None:
    heard: list[Any] = []
    child = Child(module, sys.executable, tmp_path / "stacks", heard.append)
    wait_until(lambda: os.getsid(child.pid) == child.pid)  # before that it has not begun

    os.kill(child.pid, 2)
    _, ending = child.wait()
    child.close()

    assert ending.status in (130, -2)
    assert heard == []


def test_a_long_traceback_keeps_its_two_ends() -> None:
    try:
        raise ValueError("first\n" + "middle\n" * 5_000 + "last")
    except ValueError as error:
        reported = user_traceback(error)

    lines = reported.splitlines()
    assert len(lines) == MOST_LINES + 1
    assert lines[0] == "Traceback (most recent call last):"
    assert "ValueError: first" in lines
