"""Each of several steps finds the process as the first did, and with what its modules do to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.isolation import process_state
from alo.engine.isolation.only_steps import only_steps_run

from .test_process_state import DO, PLACES, write_project

MakeSolution = Callable[..., Path]


def test_context_variables_are_the_steps_own(make_solution: MakeSolution, run: Any) -> None:
    code = """
        from contextvars import ContextVar
        import queue
        queue.variable = getattr(queue, "variable", None) or ContextVar("variable", default=0)
        assert queue.variable.get() == 0
        queue.variable.set(1)
    """

    run(make_solution({"one": code, "two": code}))


COMMON = "import os\nos.environ['OF_COMMON'] = '1'\nos.umask(0o11)\n\nclass Thing:\n    pass\n"
SEES_IT = """
import os, common
self.data["thing"] = common.Thing()
assert os.environ["OF_COMMON"] == "1"
mask = os.umask(0o77); os.umask(mask)
assert mask == 0o11
"""


@pytest.mark.parametrize("mode", ["memory", "file"])
@pytest.mark.parametrize("isolation", [{}, {"isolation": "process"}], ids=["here", "apart"])
def test_a_module_of_several_steps_does_its_part_in_each(
    mode: str,
    isolation: dict[str, str],
    make_solution: MakeSolution,
    alo: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    steps = {name: SEES_IT for name in ("one", "two", "three")}
    home = make_solution(steps, beside={"two": isolation}, control={"interface_mode": mode})
    (home / "common.py").write_text(COMMON)

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    made = [*home.glob("history/*/*/experimental_plan.yaml"), *home.rglob("*.json")]
    assert [path for path in made if path.stat().st_mode & 0o20] == []


def test_a_module_that_stays_for_a_unit_test_does_its_part_in_each(tmp_path: Path) -> None:
    spots = {**dict.fromkeys(PLACES, ""), "at_run": "import common; common.check()"}
    write_project(tmp_path, {"step": DO.format(**spots, expression={"": "1"})}, {})
    (tmp_path / "common.py").write_text(
        "import os\nos.environ['OF_COMMON'] = '1'\n"
        "def check():\n    assert 'OF_COMMON' in os.environ\n"
    )
    script = (
        "import os\nfrom alo.testing import run_asset\n"
        "for _ in range(3):\n"
        "    run_asset('assets/step', data={})\n"
        "    assert 'OF_COMMON' not in os.environ\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_a_process_that_only_runs_steps_is_read_once_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[int] = []
    signals = process_state.SETTINGS["signals"]
    counted = signals._replace(read=lambda: (reads.append(1), signals.read())[1])
    monkeypatch.setitem(process_state.SETTINGS, "signals", counted)
    monkeypatch.setattr(process_state, "_between", process_state._Between())
    monkeypatch.delenv("OF_A_STEP", raising=False)

    with only_steps_run():
        for _ in range(3):
            with process_state.process_restored():
                assert "OF_A_STEP" not in os.environ
                os.environ["OF_A_STEP"] = "1"

    assert "OF_A_STEP" not in os.environ
    assert len(reads) == 4


def test_what_happens_between_two_times_of_steps_alone_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_state, "_between", process_state._Between())

    for value in ("1", "2"):
        monkeypatch.setenv("OF_THE_HOST", value)
        with only_steps_run():
            for _ in range(2):
                with process_state.process_restored():
                    assert os.environ["OF_THE_HOST"] == value

    monkeypatch.setenv("OF_THE_HOST", "3")
    with process_state.process_restored():
        assert os.environ["OF_THE_HOST"] == "3"
    assert os.environ["OF_THE_HOST"] == "3"


def test_a_step_inside_a_step_leaves_what_the_outer_one_has_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_state, "_between", process_state._Between())
    monkeypatch.delenv("OF_THE_OUTER", raising=False)

    with only_steps_run():
        for _ in range(2):
            with process_state.process_restored():
                os.environ["OF_THE_OUTER"] = "1"
                for _ in range(2):
                    with process_state.process_restored():
                        os.environ["OF_THE_INNER"] = "1"
                assert os.environ["OF_THE_OUTER"] == "1"
                assert "OF_THE_INNER" not in os.environ

    assert "OF_THE_OUTER" not in os.environ
