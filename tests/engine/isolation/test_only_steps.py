"""When a process does nothing but run steps."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from alo.engine.isolation import only_steps
from alo.engine.isolation.only_steps import only_steps_run, staying, while_only_steps_run


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No step has run; the garbage collector is left as it was."""
    monkeypatch.setattr(only_steps, "_has_run", False)
    is_enabled, thresholds = gc.isenabled(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(700, 10, 10)
    gc.unfreeze()
    yield
    gc.unfreeze()
    (gc.enable if is_enabled else gc.disable)()
    gc.set_threshold(*thresholds)


def test_each_time_is_another_and_ends() -> None:
    assert while_only_steps_run() is None

    with only_steps_run():
        first = while_only_steps_run()
        assert first is while_only_steps_run() is not None
        with only_steps_run():
            assert while_only_steps_run() not in (None, first)
        assert while_only_steps_run() is first

    assert while_only_steps_run() is None


def test_what_assets_import_before_a_step_runs_is_not_looked_through_for_garbage() -> None:
    with only_steps_run():
        for runs in (False, True):
            gc.unfreeze()
            assert staying(gc.get_threshold, runs=runs)[0] > 100_000
            assert gc.get_freeze_count() > 0

    assert gc.get_threshold() == (700, 10, 10)
    assert gc.isenabled()


def test_behind_a_step_what_it_has_left_may_be_garbage() -> None:
    with only_steps_run():
        staying(list, runs=True)
        gc.unfreeze()

        assert staying(gc.get_threshold, runs=True) == (700, 10, 10)

    assert gc.get_freeze_count() == 0


def test_in_a_process_that_does_other_things_nothing_stays() -> None:
    assert staying(gc.get_threshold, runs=True) == (700, 10, 10)
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (gc.disable, (False, (700, 10, 10))),
        (lambda: gc.set_threshold(5000, 20, 20), (True, (5000, 20, 20))),
        (lambda: gc.set_threshold(0), (True, (0, 10, 10))),
    ],
)
def test_an_asset_that_sets_the_collector_has_its_way(
    act: Callable[[], None], state: tuple[bool, tuple[int, int, int]]
) -> None:
    with only_steps_run():
        staying(act, runs=True)

    assert (gc.isenabled(), gc.get_threshold()) == state


def test_an_import_that_fails_leaves_the_collector_as_it_was() -> None:
    with only_steps_run(), pytest.raises(ZeroDivisionError):
        staying(lambda: 1 // 0, runs=True)

    assert gc.get_threshold() == (700, 10, 10)
