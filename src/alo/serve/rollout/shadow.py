"""A second model that sees the same requests, and how its answers compare.

Its scores are written down next to those of the model in use; its answers are not sent.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from statistics import fmean
from typing import Any, NamedTuple

from alo.history.deployment import read_deployment
from alo.history.ids import utc_now
from alo.json_text import json_value, ordinary_bytes
from alo.layout import Workspace
from alo.workers.handle import Worker
from alo.workers.protocol import Request, Summary

FILE = "shadow.jsonl"  # in .alo/: a line for each request that both models have answered
OLD_FILE = "shadow.old.jsonl"  # those before
MOST_BYTES = 10_000_000  # of comparisons in one file; there is one older at most
STOP_S = 1.0
MOST_SHADOWED = 100  # requests that wait for the shadow; the newest are left out where it is slow


class Compared(NamedTuple):
    """One request, answered by both models."""

    time: str
    id: str
    score: float | None
    shadow_score: float | None
    same_result: bool


class Comparison(NamedTuple):
    """All requests that the shadow of now has seen."""

    requests: int
    same_results: int
    mean_score: float
    mean_shadow_score: float


def compared(workspace: Workspace) -> Comparison | None:
    """What is known of the shadow that runs now; None: nothing yet."""
    shadow = read_deployment(workspace).shadow
    text = ""
    for name in (OLD_FILE, FILE):
        with suppress(OSError):
            text += ordinary_bytes(workspace.internal / name).decode("utf-8", "replace")
    own = [line for line in _lines(text) if line.get("shadow") == shadow]
    scores = [line["score"] for line in own if line["score"] is not None]
    shadows = [line["shadow_score"] for line in own if line["shadow_score"] is not None]
    if not own:
        return None
    return Comparison(
        len(own),
        sum(line["same_result"] for line in own),
        fmean(scores) if scores else 0.0,
        fmean(shadows) if shadows else 0.0,
    )


def _lines(text: str) -> Iterator[Mapping[str, Any]]:
    """The comparisons; not the line that a kill or a full disk cut off."""
    for line in text.splitlines():
        with suppress(ValueError):
            content = json_value(line)
            if isinstance(content, dict) and {*Compared._fields, "shadow"} <= content.keys():
                yield content


class Shadow:
    """A second model that sees the same requests."""

    def __init__(self, workspace: Workspace, worker: Worker, limit_s: float | None) -> None:
        self._worker, self._limit_s = worker, limit_s
        self._ended = threading.Event()
        self._path = workspace.internal / FILE
        self._waiting: queue.Queue[tuple[Request, Mapping[str, object]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="alo-shadow", daemon=True)
        self._thread.start()

    @property
    def model_id(self) -> str:
        """The id of the model in the shadow."""
        return self._worker.model_id

    def add(self, request: Request, summary: Mapping[str, object]) -> None:
        """Hand a request and the service's answer on to be compared; left out if too many wait."""
        if self._waiting.qsize() < MOST_SHADOWED:
            self._waiting.put((request._replace(is_shadowed=True), summary))

    def stop(self) -> None:
        """End after the request in hand; a long one is not waited for."""
        self._ended.set()
        self._waiting.put(None)
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None and not self._ended.is_set():
            with suppress(Exception):  # a full disk, say: the next one may be written again
                self._note(*item, self._answer(item[0]))
        self._worker.stop()

    def _answer(self, request: Request) -> Mapping[str, object]:
        """The summary; none where it fails, which is an answer too."""
        found: Mapping[str, object] = {}
        with suppress(Exception):
            for message in self._worker.run(request, self._limit_s, lambda: None):
                if isinstance(message, Summary):
                    found = message.content
        return found

    def _note(
        self, request: Request, summary: Mapping[str, object], shadow: Mapping[str, object]
    ) -> None:
        same = bool(shadow) and summary.get("result") == shadow.get("result")
        compared = Compared(utc_now(), request.id, _score(summary), _score(shadow), same)
        line = {**compared._asdict(), "shadow": self.model_id}
        self._path.parent.mkdir(exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
            os.replace(self._path, self._path.with_name(OLD_FILE))
        with open(self._path, "a") as file:
            file.write(f"{json.dumps(line)}\n")


def _score(summary: Mapping[str, object]) -> float | None:
    score = summary.get("score")
    return float(score) if isinstance(score, int | float) else None
