"""A studio that is killed while people decide; ``tests/slow/kill_reviews.py`` has more of it."""

from __future__ import annotations

from pathlib import Path

from tests.slow.kill_reviews import kill_at_random
from tests.support.waiting import PATIENCE_S


def test_every_acknowledged_decision_is_there_whenever_the_studio_is_killed(
    tmp_path: Path,
) -> None:
    assert kill_at_random(tmp_path, 1_000, seed=1, patience_s=2 * PATIENCE_S)
