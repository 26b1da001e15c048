"""New models without a stop: what ``alo deploy`` chooses is booted beside the old, checked, used.

A shadow sees the same requests after they have been answered; its scores are written down beside
those of the model in use, and its answers are not sent.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from alo.engine.messages import warning
from alo.errors import AloError
from alo.events import Listener, SettingUp
from alo.history.deployment import deployment_stamp, models_of, read_deployment
from alo.layout import Workspace
from alo.serve.boot import Service, chosen_model
from alo.serve.crew import TimeIsOver, Worker, WorkerDied
from alo.serve.messages import Request, Summary
from alo.serve.shadows import FILE, OLD_FILE

LOOK_S = 0.5
SAMPLE_S = 10.0
SMOKE = "smoke"  # in solution/: the data of a request that a new model has to answer
MOST_BYTES = 10_000_000  # of comparisons in one file; there is one older at most
MOST_SHADOWED = 100  # requests that wait for the shadow; the newest are left out where it is slow


class Compared(NamedTuple):
    """One request, answered by both models."""

    time: str
    id: str
    score: float | None
    shadow_score: float | None
    same_result: bool


class Changes:
    """Follows the choice of the model while a service runs.

    Args:
        workers: all of the service; started by others.
    """

    def __init__(
        self,
        service: Service,
        workers: Sequence[Worker],
        limit_s: float | None,
        listener: Listener,
    ) -> None:
        self._workspace, self._workers = service.job.workspace, workers
        self._limit_s, self._listener = limit_s, listener
        self._stamp = deployment_stamp(self._workspace)
        self._last_good: Request | None = None
        self._sampled = float("-inf")
        self._shadow: Shadow | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="alo-models", daemon=True)

    def start(self) -> None:
        self._follow_shadow()
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._shadow is not None:
            self._shadow.stop()

    @property
    def wants_samples(self) -> bool:
        """Whether a request that went well is to be told; some are enough without a shadow."""
        return self._shadow is not None or time.monotonic() > self._sampled + SAMPLE_S

    def went_well(self, request: Request, summary: Mapping[str, object]) -> None:
        """A request was answered; what it was is a sample for a new model."""
        self._last_good, self._sampled = request._replace(exports=False), time.monotonic()
        if self._shadow is not None:
            self._shadow.add(request._replace(exports=False), summary)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            stamp = deployment_stamp(self._workspace)
            if stamp == self._stamp:
                continue
            self._stamp = stamp
            for what, follow in (("model", self._follow_model), ("shadow", self._follow_shadow)):
                try:
                    follow()
                except (AloError, OSError) as error:
                    self._listener(warning(f"the {what} stays as it is: {error}"))

    def _follow_model(self) -> None:
        models, model_id = chosen_model(self._workspace)
        if model_id == self._workers[0].model_id:
            return
        fresh: list[Worker] = []
        try:
            for worker in self._workers:
                fresh.append(worker.beside(models, model_id))
                fresh[-1].start()
                if len(fresh) == 1:
                    self._check(fresh[0])
        except BaseException:
            for worker in fresh:
                worker.stop()
            raise
        for worker, other in zip(self._workers, fresh, strict=True):
            worker.become(other)
        self._listener(SettingUp(f"the model of run {model_id} is in use"))

    def _check(self, worker: Worker) -> None:
        smoke = self._workspace.home / "solution" / SMOKE
        if smoke.is_dir():
            sample = Request("smoke", None, (str(smoke),), exports=False)
            worker.check(sample, self._limit_s, may_be_gone=False)
        elif self._last_good is not None:
            sample = self._last_good._replace(id="smoke")
            worker.check(sample, self._limit_s, may_be_gone=True)

    def _follow_shadow(self) -> None:
        wanted = read_deployment(self._workspace).shadow
        if wanted == (self._shadow.model_id if self._shadow else ""):
            return
        if self._shadow is not None:
            self._shadow.stop()
            self._shadow = None
        if wanted:
            worker = self._workers[0].beside(models_of(self._workspace, wanted), wanted)
            worker.start()
            self._shadow = Shadow(self._workspace, worker, self._limit_s)
            self._listener(SettingUp(f"the model of run {wanted} runs in the shadow"))


class Shadow:
    """A second model that sees the same requests."""

    def __init__(self, workspace: Workspace, worker: Worker, limit_s: float | None) -> None:
        self._worker, self._limit_s = worker, limit_s
        self._path = workspace.internal / FILE
        self._waiting: queue.Queue[tuple[Request, Mapping[str, object]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="alo-shadow", daemon=True)
        self._thread.start()

    @property
    def model_id(self) -> str:
        return self._worker.model_id

    def add(self, request: Request, summary: Mapping[str, object]) -> None:
        if self._waiting.qsize() < MOST_SHADOWED:
            self._waiting.put((request, summary))

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()
        self._worker.stop()

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            request, summary = item
            found: Mapping[str, object] = {}
            try:
                for news in self._worker.run(request, self._limit_s, lambda: None):
                    if isinstance(news, Summary):
                        found = news.content
            except (WorkerDied, TimeIsOver, AloError, OSError):
                pass  # no answer of the shadow is an answer too
            with suppress(OSError):  # a full disk, say: the next one may be written again
                self._note(request, summary, found)

    def _note(
        self, request: Request, summary: Mapping[str, object], shadow: Mapping[str, object]
    ) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        same = bool(shadow) and summary.get("result") == shadow.get("result")
        compared = Compared(now, request.id, _score(summary), _score(shadow), same)
        line = {**compared._asdict(), "shadow": self.model_id}
        self._path.parent.mkdir(exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
            os.replace(self._path, self._path.with_name(OLD_FILE))
        with open(self._path, "a") as file:
            file.write(f"{json.dumps(line)}\n")


def _score(summary: Mapping[str, object]) -> float | None:
    score = summary.get("score")
    return float(score) if isinstance(score, int | float) else None
