"""What is kept of one run: the typed form of ``log/experimental_history.json`` (spec 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class StepRecord(NamedTuple):
    """How one step went."""

    name: str
    status: str  # success or error
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    data_keys: tuple[str, ...] = ()  # the data keys it was the first to save


class RunRecord(NamedTuple):
    """One run. Times are UTC, ``YYYY-mm-ddTHH:MM:SS.ffffffZ``; ids are 12 hex digits or empty."""

    id: str  # the entry's folder name without -error
    pipeline: str  # train or inference
    status: str  # success, error, interrupted or running
    start_time: str
    end_time: str = ""
    solution: str = ""  # the plan's name
    version: str = ""  # the plan's version
    data_id: str = ""
    data_id_description: Mapping[str, object] = {}
    code_id: str = ""
    code_id_description: Mapping[str, object] = {}
    param_id: str = ""
    train_id: str = ""  # of an inference: a run, "none" or "load-external-model"
    args: Mapping[str, Mapping[str, object]] = {}  # step -> args as they ran
    overrides: tuple[str, ...] = ()  # what --set, --system or a notebook changed, a line each
    result: str = ""
    score: float | None = None
    note: str = ""
    probability: Mapping[str, float] = {}
    reason: str = ""  # why it ended, when it did not succeed
    failed_step: str = ""
    steps: tuple[StepRecord, ...] = ()
    seconds: float = 0.0
    python: str = ""
    packages: Mapping[str, str] = {}
    git: Mapping[str, object] = {}  # commit and dirty, where the project is a git work tree
    host: str = ""
    alo_version: str = ""
