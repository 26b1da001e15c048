"""What a service counts and measures, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alo.alarms.ledger import read_ledger
from alo.errors import AloError
from alo.layout import Workspace
from alo.workers.ticket import Result

LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SCORES = tuple(number / 10 for number in range(1, 11))


class Measured(Protocol):
    """The pool of a service, as its metrics see it."""

    @property
    def waiting(self) -> int:
        """Requests that wait."""

    @property
    def model_id(self) -> str:
        """The run whose model is in use."""


class Metrics:
    """The metrics that Prometheus reads.

    Args:
        workspace: whose alarms are counted.
    """

    def __init__(self, pool: Measured, workspace: Workspace) -> None:
        self._pool, self.registry = pool, CollectorRegistry()
        make: dict[str, Any] = {"registry": self.registry}
        self._requests = Counter("alo_requests", "Requests by status.", ["status"], **make)
        self._failures = Counter("alo_failures", "Failed requests by code.", ["code"], **make)
        self._refused = Counter(
            "alo_refused", "RefusedError requests by status and limit.", ["code", "limit"], **make
        )
        self._latency = Histogram(
            "alo_request_seconds", "Time on a worker.", buckets=LATENCY_S, **make
        )
        self._scores = Histogram("alo_score", "Scores of results.", buckets=SCORES, **make)
        waiting = Gauge("alo_queue_length", "Requests that wait for a worker.", **make)
        waiting.set_function(lambda: pool.waiting)
        self.registry.register(AlarmMetrics(workspace))
        self._model = Gauge("alo_model_info", "The model in use.", ["model_id"], **make)

    def count(self, result: Result) -> None:
        """Count a request that has ended: its status, its time, its score or its failure."""
        if result.failure and result.failure.kind == "output":
            self.count_refusal(500, "output")
        self._requests.labels(result.status).inc()
        self._latency.observe(result.seconds)
        if result.failure:
            self._failures.labels(result.failure.code).inc()
        score = (result.summary or {}).get("score")
        if isinstance(score, int | float):
            self._scores.observe(score)

    def count_refusal(self, status: int, limit: str) -> None:
        """A request was refused before it was one; for any thread."""
        self._refused.labels(str(status), limit).inc()

    def text(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        self._model.clear()
        self._model.labels(self._pool.model_id).set(1)
        return generate_latest(self.registry)


class AlarmMetrics(Collector):
    """The alarms of a project, as all of its services have noted them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def collect(self) -> Iterator[Metric]:
        """What is noted when it is asked for; nothing where that cannot be read."""
        raised = CounterMetricFamily(
            "alo_alarms_raised", "Alarms that were raised, in the project.", labels=["alarm"]
        )
        failed = CounterMetricFamily(
            "alo_alarm_calls_failed", "Calls of alarms that were given up.", labels=["alarm"]
        )
        now = GaugeMetricFamily("alo_alarm", "Alarms that are raised now.", labels=["alarm"])
        try:
            ledger = read_ledger(self._workspace)
        except AloError:
            return
        for name, count in ledger.raised_total.items():
            raised.add_metric([name], count)
            now.add_metric([name], name in ledger.raised)
        for name, count in ledger.failed_total.items():
            failed.add_metric([name], count)
        yield from (raised, failed, now)
