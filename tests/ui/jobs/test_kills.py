"""Studios that are killed while they run jobs; ``tests/slow/kill_studio.py`` has more of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.slow import kill_makers
from tests.slow.kill_studio import kill_at_random
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("studios", [1, 2])
def test_no_job_is_lost_or_doubled_whenever_a_studio_is_killed(
    tmp_path: Path, studios: int
) -> None:
    kill_at_random(tmp_path, 3, studios, seed=studios, patience_s=2 * PATIENCE_S)


def test_no_data_set_or_candidate_is_half_lost_or_doubled_whenever_the_studio_is_killed(
    tmp_path: Path,
) -> None:
    kill_makers.kill_at_random(tmp_path, 2, seed=1, patience_s=4 * PATIENCE_S)
