"""Steps inside one process run one after the other."""

from __future__ import annotations

import os
import threading
from typing import Any

from alo.engine.isolation.turns import turn_of
from alo.events.types import LogLine

from ...support.waiting import PATIENCE_S


def test_a_second_thread_waits_and_says_for_which_step(heard: Any) -> None:
    began, order = threading.Event(), []

    def other() -> None:
        began.set()
        with turn_of("second", heard):
            order.append("second")

    thread = threading.Thread(target=other)
    with turn_of("first", heard):
        thread.start()
        assert began.wait(PATIENCE_S)
        order.append("first")
    thread.join(PATIENCE_S)

    assert order == ["first", "second"]
    warnings = [line.text for line in heard.of(LogLine)]
    assert warnings in (
        [],
        ["waiting for step 'first', which runs in another thread of this process"],
    )


def test_a_step_may_run_another_project(heard: Any) -> None:
    with turn_of("outer", heard), turn_of("inner", heard):
        pass

    assert not heard


def test_a_fork_has_its_own_turn_while_a_thread_of_its_parent_has_one(heard: Any) -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with turn_of("held", heard):
            taken.set()
            done.wait(PATIENCE_S)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(PATIENCE_S)
    if (child := os.fork()) == 0:
        with turn_of("forked", lambda event: os._exit(1)):
            os._exit(0)
    _, status = os.waitpid(child, 0)
    done.set()
    thread.join(PATIENCE_S)

    assert status == 0
