from __future__ import annotations

import pytest

from alo.cli.output.report import run_report
from alo.events.types import RunFinished, StepFinished

FINISHED = RunFinished("id", "inference", "success", 2.0, None, "/p/inference_artifacts", "/h/id")
STEP = StepFinished("input", 1, 1, "success", 0.02, 0.01, 0, ())


def test_the_summary_is_reported() -> None:
    summary = {
        "result": "2 of 3",
        "score": 0.67,
        "note": "a note",
        "probability": {"yes": 0.6, "no": 0.4},
    }

    lines = list(run_report(FINISHED._replace(summary=summary), [STEP], []))

    assert lines[1:4] == [
        "result       2 of 3  (score 0.67)",
        "note         a note",
        "probability  yes: 0.6, no: 0.4",
    ]


def test_an_empty_note_and_no_probability_take_no_line() -> None:
    summary = {"result": "ok", "score": 1.0, "note": "", "probability": {}}

    lines = list(run_report(FINISHED._replace(summary=summary), [STEP], []))

    assert [line.split()[0] for line in lines[1:]] == ["result", "artifacts", "history"]


def test_of_many_classes_only_some_are_reported() -> None:
    probability = {f"class{number}": 0.01 for number in range(100)}
    summary = {"result": "ok", "score": 1.0, "note": "", "probability": probability}

    lines = list(run_report(FINISHED._replace(summary=summary), [STEP], []))

    assert lines[2].endswith("class9: 0.01, ...")


def test_each_exported_file_is_reported() -> None:
    lines = list(run_report(FINISHED._replace(exported=("/out/a.tar.gz", "/out/b.log")), [], []))

    assert lines[-2:] == ["exported     /out/a.tar.gz", "exported     /out/b.log"]


def test_a_run_without_history_says_nothing_of_it() -> None:
    lines = list(run_report(FINISHED._replace(history=""), [STEP], []))

    assert not any(line.startswith("history") for line in lines)


def test_lines_to_show_stand_beside_the_step_they_came_from() -> None:
    shown = [("input", "3 rows\nand more"), ("a-step-with-a-long-name", "text")]

    lines = list(run_report(FINISHED, [STEP], shown))

    assert lines[1:3] == ["input        3 rows and more", "a-step-with-a-long-name  text"]


@pytest.mark.parametrize(
    ("status", "reported"),
    [("error", "failed after 2.00 s"), ("interrupted", "was interrupted after 2.00 s")],
)
def test_a_run_that_did_not_succeed_says_where_its_logs_are(status: str, reported: str) -> None:
    lines = list(run_report(FINISHED._replace(status=status), [STEP], [("input", "3 rows")]))

    assert lines == [f"inference {reported}", "history      /h/id"]
