from __future__ import annotations

import json
import pickle

import pytest

from alo.events import types as events
from alo.events.types import (
    BatchFinished,
    CommandFailed,
    LeftOut,
    LogLine,
    Output,
    Progress,
    RunFinished,
    RunStarted,
    SettingUp,
    ShardFinished,
    ShardStarted,
    StepFinished,
    StepStarted,
    SweepFinished,
    TrialFinished,
    TrialStarted,
)

BEST = {"trial": 3, "values": {"score": 0.5}, "args": {"train.depth": 5}, "run_id": "id"}
COUNTS = {"total": 4, "done": 4, "failed": 0, "reused": 1}
EXAMPLES = [
    SettingUp("installing pandas with uv"),
    RunStarted("id", "train", ("a", "b"), "name"),
    StepStarted("a", 1, 2),
    StepFinished("a", 1, 2, "success", 0.5, 0.4, 1 << 20, ("x",)),
    Output("stdout", "한글\n"),
    LogLine(0.0, "USER", "INFO", "asset_a.py", 42, "run", "text"),
    Progress("staging", 1, None, "B"),
    RunFinished("id", "train", "success", 1.0, {"score": 1.0}, "/p/train_artifacts", ""),
    LeftOut(3, 4000),
    CommandFailed("it broke", "asset_a.py:3", "mend it", "Traceback", 1),
    TrialStarted(3, {"train.depth": 5}),
    TrialFinished(3, "complete", {"score": 0.5}, 1.5, "id"),
    SweepFinished("s", {"complete": 1}, (BEST,)),
    ShardStarted("0003.1", 50, 1),
    ShardFinished("0003.1", "failed", 1, 1.5, "it broke"),
    BatchFinished("b", "id", "complete", 1000, 999, 1, COUNTS, "/p/output/output.csv"),
]


def test_every_event_has_an_example_here() -> None:
    kinds = {getattr(events, name) for name in events.__all__} - {events.Event, events.Listener}

    assert {type(event) for event in EXAMPLES} == kinds


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_events_are_values_that_go_to_other_processes_and_into_json(event: events.Event) -> None:
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301
    assert json.loads(json.dumps(event._asdict())).keys() == set(event._fields)
    with pytest.raises(AttributeError):
        event.new = 1  # type: ignore[union-attr]


def test_a_log_line_is_written_in_the_format_of_2x() -> None:
    line = LogLine(1714910400.123, "USER", "INFO", "asset_train.py", 42, "run", "message\nmore")

    assert line.format() == (
        "[2024-05-05 12:00:00,123|USER|INFO|asset_train.py(42)|run()] message\nmore"
    )


@pytest.mark.parametrize(("seconds", "millis"), [(0.0, "000"), (0.9996, "999"), (0.5, "500")])
def test_a_log_line_never_rounds_into_the_next_second(seconds: float, millis: str) -> None:
    line = LogLine(seconds, "ALO", "INFO", "x.py", 1, "f", "")

    assert line.format().startswith(f"[1970-01-01 00:00:00,{millis}|ALO|")
