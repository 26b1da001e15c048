"""When a process does nothing but run steps."""

from __future__ import annotations

from alo.engine.isolation.only_steps import only_steps_run, while_only_steps_run


def test_each_time_is_another_and_ends() -> None:
    assert while_only_steps_run() is None

    with only_steps_run():
        first = while_only_steps_run()
        assert first is while_only_steps_run() is not None
        with only_steps_run():
            assert while_only_steps_run() not in (None, first)
        assert while_only_steps_run() is first

    assert while_only_steps_run() is None
