"""How many tasks go on at once where nobody says it."""

from __future__ import annotations

import os

import pytest

from alo.executors import room
from alo.plan.model import Resources


@pytest.mark.parametrize(
    ("asked", "tasks"),
    [
        (Resources(), 8),
        (Resources(cpu=2), 4),
        (Resources(cpu=0.5), 8),
        (Resources(cpu=64), 1),
        (Resources(memory=3 * 10**9), 5),
        (Resources(cpu=2, memory=10**9), 4),
    ],
)
def test_as_many_tasks_as_cores_and_memory_last_for(
    monkeypatch: pytest.MonkeyPatch, asked: Resources, tasks: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(room, "_memory_bytes", lambda: 16 * 10**9)

    assert room.tasks_at_once(asked) == tasks
