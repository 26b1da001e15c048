"""A step that uses asyncio runs the same wherever the engine is called from."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.engine.isolation.event_loop import no_running_loop
from alo.errors import Interrupted, StepError
from alo.testing import run_asset

from ...support.waiting import PATIENCE_S

MakeSolution = Callable[..., Path]

SAYS_THREE = """
import asyncio
async def three():
    await asyncio.sleep(0)
    return 3
"""


def in_a_loop(work: Callable[[], Any]) -> Any:
    """Call it as a cell of Jupyter would, and see that the loop is as it was afterwards."""

    async def cell() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return work()
        finally:
            assert asyncio.get_running_loop() is loop
            assert asyncio.get_event_loop() is loop
            assert asyncio.current_task() is task
            await asyncio.sleep(0)

    return asyncio.run(cell())


@pytest.mark.parametrize(
    "call",
    [
        "asyncio.run(three())",
        "asyncio.new_event_loop().run_until_complete(three())",
        "asyncio.get_event_loop().run_until_complete(three())",
    ],
)
@pytest.mark.parametrize("part", ["project", "pipeline", "main"])
def test_a_step_may_run_an_event_loop_where_one_is_running_already(
    make_solution: MakeSolution, call: str, part: str
) -> None:
    code = f"loop = {call.split('.run_until')[0]}\n" if "until" in call else ""
    rest = f"loop.run_until{call.split('.run_until')[1]}" if code else call
    close = "loop.close()\n" if "new_event" in call else ""
    home = make_solution(
        {"train": f"{SAYS_THREE}{code}n = {rest}\n{close}self.asset.save_summary(str(n), 1)"}
    )
    project = alo.Project(home, listener=lambda event: None)
    ways: dict[str, Callable[[], Any]] = {
        "project": lambda: project.run("train")[0],
        "pipeline": lambda: project.train.run().save(),
        "main": lambda: alo.ALO(mode="train", project=home).main()[0],
    }

    outcome = in_a_loop(ways[part])

    assert outcome.summary["result"] == "3"


def test_a_failing_step_leaves_the_loop_of_its_caller(make_solution: MakeSolution) -> None:
    home = make_solution({"train": f"{SAYS_THREE}asyncio.run(three())\nraise ValueError('no')"})
    project = alo.Project(home, listener=lambda event: None)

    with pytest.raises(StepError, match="no"):
        in_a_loop(lambda: project.run("train"))


def test_ctrl_c_interrupts_a_step_in_a_loop(make_solution: MakeSolution) -> None:
    code = (
        f"{SAYS_THREE}asyncio.run(three())\nimport os, signal; os.kill(os.getpid(), signal.SIGINT)"
    )
    project = alo.Project(make_solution({"train": code}), listener=lambda event: None)

    with pytest.raises(Interrupted):
        in_a_loop(lambda: project.run("train"))


def test_a_unit_test_of_an_asset_may_be_async(make_solution: MakeSolution) -> None:
    home = make_solution({"train": f"{SAYS_THREE}self.data['n'] = asyncio.run(three())"})

    result = in_a_loop(lambda: run_asset(home / "assets/train"))

    assert result.data["n"] == 3


def test_context_and_thread_of_the_caller_stay_where_the_step_runs() -> None:
    seen = []

    def work() -> None:
        with no_running_loop():
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            seen.append(threading.current_thread())

    in_a_loop(work)

    assert seen == [threading.current_thread()]


def test_other_threads_keep_their_loops() -> None:
    async def other(go: threading.Event) -> bool:
        go.wait(PATIENCE_S)
        return asyncio.get_running_loop().is_running()

    go = threading.Event()
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(other(go))))
    thread.start()
    with no_running_loop():
        go.set()
        thread.join(PATIENCE_S)

    assert results == [True]


def test_a_callback_of_a_loop_may_run_a_step_too() -> None:
    seen: list[object] = []

    def callback() -> None:  # it has a loop, and is no task
        loop = asyncio.get_running_loop()
        with no_running_loop():
            seen.append(asyncio.run(asyncio.sleep(0, "inside")))
        seen.append(asyncio.get_running_loop() is loop)
        loop.stop()

    loop = asyncio.new_event_loop()
    loop.call_soon(callback)
    loop.run_forever()
    loop.close()

    assert seen == ["inside", True]


def test_a_loop_that_a_thread_of_the_step_still_runs_is_left_to_it() -> None:
    begun = threading.Event()

    def step() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
        with no_running_loop():
            loop = asyncio.get_event_loop()
            loop.call_soon(begun.set)
            thread = threading.Thread(target=loop.run_forever)
            thread.start()
            assert begun.wait(PATIENCE_S)
        return loop, thread

    loop, thread = in_a_loop(step)
    assert loop.is_running()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_S)
    loop.close()

    assert not thread.is_alive()
