"""`save_metric`: numbers in full precision, a whole line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from alo.history.browse import History
from alo.layout import Workspace
from alolib.errors import MetricError
from alolib.metrics import append_metric, check_name, check_step, check_value, last_metrics


class Number:
    def __float__(self) -> float:
        return 0.25


@pytest.mark.parametrize("value", [1, 0.1234567890123, -1e300, Number()])
def test_any_finite_number_is_kept_in_full(tmp_path: Path, value: Any) -> None:
    path = str(tmp_path / "score" / "train_metrics.jsonl")
    append_metric(path, "f1", check_value("f1", value), None)
    assert last_metrics(path) == {"f1": float(value)}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.5", None, [1, 2]])
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    with pytest.raises(MetricError, match="metric 'f1' is"):
        check_value("f1", value)


@pytest.mark.parametrize("name", ["", " ", None, "score", "probability.a", "x" * 101])
def test_a_name_is_a_text_that_the_summary_does_not_have(name: Any) -> None:
    with pytest.raises(MetricError):
        check_name(name)


@pytest.mark.parametrize("step", [-1, 1.5, True, "3"])
def test_a_step_is_a_whole_number(step: Any) -> None:
    with pytest.raises(MetricError, match="whole number"):
        check_step("f1", step)
    assert (check_step("f1", 3), check_step("f1", None)) == (3, None)


def test_the_last_value_of_a_name_counts_and_a_torn_line_does_not(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    for step, value in enumerate([0.5, 0.7, 0.6]):
        append_metric(str(path), "f1", value, step)
    append_metric(str(path), "loss", 2.0, None)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["name"], each["value"], each["step"]) for each in lines] == [
        ("f1", 0.5, 0), ("f1", 0.7, 1), ("f1", 0.6, 2), ("loss", 2.0, None),
    ]  # fmt: skip
    path.write_text(path.read_text() + '{"name": "f1", "val')
    assert last_metrics(str(path)) == {"f1": 0.6, "loss": 2.0}
    assert last_metrics(str(tmp_path / "none")) == {}


def fill(path: Path) -> None:
    for number in range(10_000):
        append_metric(str(path), f"name-{number}", 1.0, None)


def test_on_a_full_disk_no_half_line_is_left(small_disk: Callable[..., Path]) -> None:
    disk = small_disk(1)
    path = disk / "m.jsonl"
    append_metric(str(path), "f1", 1.0, None)
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)
    with pytest.raises(MetricError, match="cannot be written"):
        fill(path)
    assert path.read_bytes().endswith(b"\n")


SAVES = """
self.asset.save_metric("f1", self.args["v"], step=1)
self.asset.save_summary("r", 0.98765)
"""


def test_metrics_are_in_the_artifacts_and_in_history(
    make_solution: Callable[..., Path], run: Callable[..., Any]
) -> None:
    home = make_solution({"train": SAVES}, args={"train": {"v": 0.123456789}})
    (outcome,) = run(home)
    record = History(Workspace(home)).find(outcome.run_id).record
    assert record.metrics == {"score": 0.98765, "f1": 0.123456789}
    assert record.score == 0.99
    assert (home / "train_artifacts/score/train_metrics.jsonl").is_file()


def test_a_cached_step_restores_its_metrics_and_its_exact_score(
    make_solution: Callable[..., Path], run: Callable[..., Any]
) -> None:
    control = {"cache": True}
    home = make_solution({"train": SAVES, "end": ""}, args={"train": {"v": 0.5}}, control=control)
    first = run(home)[0]
    second = run(home)[0]
    assert [step.status for step in second.steps] == ["cached", "cached"]
    history = History(Workspace(home))
    one, two = (history.find(each.run_id).record.metrics for each in (first, second))
    assert one == two == {"score": 0.98765, "f1": 0.5}
