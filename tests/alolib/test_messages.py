"""How a line of a log is written."""

from __future__ import annotations

from alolib.messages import LogLine


def test_a_line_is_as_in_2x_and_in_utc() -> None:
    line = LogLine(1714910400.123, "USER", "INFO", "asset_train.py", 42, "run", "first\nsecond")

    assert line.format() == (
        "[2024-05-05 12:00:00,123|USER|INFO|asset_train.py(42)|run()] first\nsecond"
    )
