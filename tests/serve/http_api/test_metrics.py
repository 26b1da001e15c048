"""What a service counts; tests of real services see the rest of it."""

from __future__ import annotations

from pathlib import Path

from alo.alarms.ledger import FAILED, change_ledger, ledger_path
from alo.alarms.watch import Change, Window
from alo.layout import Workspace
from alo.serve.http_api.metrics import Metrics
from alo.workers.protocol import Failure
from alo.workers.ticket import Result


class Idle:
    """A pool that does nothing."""

    waiting, model_id = 3, "run"


def test_requests_are_counted_by_status_code_and_score(tmp_path: Path) -> None:
    metrics = Metrics(Idle(), Workspace(tmp_path))

    metrics.count(Result("a", {"score": 0.5}, (), None, 0.1))
    metrics.count(Result("b", None, (), Failure("E152", "x", "y"), 0.1))
    metrics.count(Result("c", None, (), Failure("E162", "x", "y", kind="output"), 0.1))

    text = metrics.text().decode()
    assert 'alo_requests_total{status="success"} 1.0' in text
    assert 'alo_failures_total{code="E152"} 1.0' in text
    assert 'alo_refused_total{code="500",limit="output"} 1.0' in text
    assert 'alo_score_bucket{le="0.5"} 1.0' in text
    assert "alo_queue_length 3.0" in text
    assert 'alo_model_info{model_id="run"} 1.0' in text
    assert "alo_alarms_raised_total{" not in text


def test_alarms_are_counted_as_they_are_noted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    metrics = Metrics(Idle(), workspace)
    change = Change("failures", "raised", 0.5, 0.1, 20)
    noted = change_ledger(
        workspace, lambda now: now.with_changes([change], Window(), "p", "", is_sent=True)
    )
    change_ledger(workspace, lambda now: now.with_call(noted.crossings[0].id, FAILED, "why"))

    text = metrics.text().decode()

    assert 'alo_alarms_raised_total{alarm="failures"} 1.0' in text
    assert 'alo_alarm{alarm="failures"} 1.0' in text
    assert 'alo_alarm_calls_failed_total{alarm="failures"} 1.0' in text
    ledger_path(workspace).write_text("{")
    assert "alo_requests" in metrics.text().decode()  # what is damaged hides no other metric
