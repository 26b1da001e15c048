from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from alo.cli.output.live import watched
from alo.errors import RunError, StepError
from alo.events.envelope import Envelope, envelope_listener
from alo.events.types import (
    Event,
    LogLine,
    Output,
    Progress,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

if TYPE_CHECKING:
    from tests.cli.conftest import Terminal

STARTED = RunStarted("20260101T000000Z-00000001-test", "train", ("train",), "test")
STEP_STARTED = StepStarted("train", 1, 1)
STEP_FINISHED = StepFinished("train", 1, 1, "success", 1.5, 1.25, 123_000_000, ("model", "x"))
FINISHED = RunFinished(STARTED.run_id, "train", "success", 2.0, None, "/p/train_artifacts", "/h")


def log(text: str, *, level: str = "INFO", source: str = "USER", show: bool = False) -> LogLine:
    return LogLine(0.0, source, level, "asset_train.py", 7, "run", text, show)


RUN: tuple[Event, ...] = (
    STARTED,
    STEP_STARTED,
    log("accuracy 0.9", show=True),
    STEP_FINISHED,
    FINISHED,
)


def test_a_run_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with watched() as listener:
        for event in RUN:
            listener(event)

    assert capsys.readouterr().out.split("\n") == [
        "train  test  20260101T000000Z-00000001-test",
        "step 1 of 1  train",
        "[1970-01-01 00:00:00,000|USER|INFO|asset_train.py(7)|run()] accuracy 0.9",
        "step     time     CPU  peak memory  data keys added",
        "train  1.50 s  1.25 s       123 MB  model, x",
        "train        accuracy 0.9",
        "artifacts    /p/train_artifacts",
        "history      /h",
        "",
    ]


def test_the_second_pipeline_does_not_repeat_what_the_first_showed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with watched() as listener:
        for event in (*RUN, STARTED._replace(pipeline="inference"), FINISHED):
            listener(event)

    second = capsys.readouterr().out.partition("inference  test")[2]
    assert "accuracy" not in second
    assert "1.50 s" not in second


def test_prints_of_an_asset_stay_on_their_stream(capsys: pytest.CaptureFixture[str]) -> None:
    with watched() as listener:
        listener(Output("stdout", "a print\n"))
        listener(Output("stderr", "a warning\n"))

    assert capsys.readouterr() == ("a print\n", "a warning\n")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (log("for process.log", source="ALO"), ""),
        (log("look here", source="ALO", level="WARNING"), "warning: look here\n"),
        (log("told by the error", source="ALO", level="ERROR"), ""),
        (log("two\nlines", level="WARNING"), log("two\nlines", level="WARNING").format() + "\n"),
    ],
)
def test_of_the_engines_own_lines_only_warnings_are_shown(
    line: LogLine, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with watched() as listener:
        listener(line)

    assert capsys.readouterr().out == shown


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watched(quiet=True) as listener:
        for event in (*RUN, Output("stdout", "a print\n")):
            listener(event)

    assert capsys.readouterr() == ("", "")


def test_json_has_an_object_with_its_name_for_each_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with watched(as_json=True) as listener:
        for event in (*RUN, Output("stdout", "점수\n"), Progress("staging", 1, 2, "B")):
            listener(event)

    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["event"] for each in objects] == [
        "run_started",
        "step_started",
        "log",
        "step_finished",
        "run_finished",
        "output",
        "progress",
    ]
    assert objects[3]["payload"]["keys_added"] == ["model", "x"]
    assert objects[5]["payload"]["text"] == "점수\n"
    assert [each["sequence"] for each in objects] == list(range(7))
    assert {each["run_id"] for each in objects} == {""}


def test_json_prints_an_event_of_a_run_in_its_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    envelope = Envelope(STARTED.run_id, "train", 7, 0.0, STEP_STARTED)

    with watched(as_json=True) as listener:
        envelope_listener(listener)(envelope)

    assert capsys.readouterr().out == envelope.to_json().decode()


def test_json_ends_with_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    error = StepError("it broke", where="asset.py:3", fix="mend it", user_traceback="Traceback")

    with pytest.raises(StepError), watched(as_json=True):
        raise error

    reported = json.loads(capsys.readouterr().out)
    assert reported["event"] == "error"
    assert reported["payload"] == {
        "what": "it broke",
        "where": "asset.py:3",
        "fix": "mend it",
        "traceback": "Traceback",
        "exit_status": 1,
    }


class OddValue(NamedTuple):
    """Something that JSON does not know inside of it."""

    value: object = object


def test_json_writes_what_it_does_not_know_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    with watched(as_json=True) as listener:
        listener(FINISHED._replace(summary={"result": OddValue}))

    assert "OddValue" in json.loads(capsys.readouterr().out)["payload"]["summary"]["result"]


def test_a_terminal_shows_the_step_that_runs_and_then_its_time(terminal: Terminal) -> None:
    with watched() as listener:
        listener(STARTED)
        listener(STEP_STARTED)
        while_running = terminal.seen()
        listener(STEP_FINISHED)
        afterwards = terminal.seen()

    assert "step 1 of 1  train  0 s" in while_running
    assert not while_running.endswith("\n")
    assert afterwards.endswith("step 1 of 1  train  1.50 s\n")


def test_a_terminal_shows_how_far_long_work_is(terminal: Terminal) -> None:
    with watched() as listener:
        listener(Progress("staging", 1_400_000, 3_000_000, "B"))
        listener(Progress("unpacking", 7, None, "files"))
        seen = terminal.seen()

    assert "staging  1.4 MB of 3.0 MB" in seen
    assert "unpacking  7 files" in seen


def test_nothing_is_left_of_the_live_line_after_an_error(terminal: Terminal) -> None:
    def run_into_an_error() -> None:
        with watched() as listener:
            listener(STEP_STARTED)
            raise RunError("it broke")

    with pytest.raises(RunError):
        run_into_an_error()

    assert terminal.seen().endswith("\r\x1b[K")
