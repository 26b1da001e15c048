"""A project opened from Python: run whole or in parts, and looked into."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.api import options
from alo.api.display import Audience
from alo.api.history_table import history_table
from alo.api.open_run import give_up_all, make_way
from alo.api.session_view import Pipeline
from alo.api.solution import Solution, read_solution
from alo.engine.request import RunOutcome, RunRequest, Setup
from alo.engine.rerun import require_models
from alo.engine.run import run_solution
from alo.engine.workspace.lock import hold_workspace
from alo.errors import UsageError
from alo.events.types import Listener
from alo.layout import Workspace
from alo.plan.model import Plan
from alo.processes.inherited import default_sigchld

if TYPE_CHECKING:
    import pandas as pd

ENVIRONMENTS = ("here", "current")


class Project:
    """A solution's folder.

    Args:
        home: the folder.
        config: another plan than ``solution/experimental_plan.yaml``.
        system: solution metadata that overrides the plan: a YAML file's path, or JSON.
        listener: receives everything that happens; by default it is written to standard output.
        environment: where packages that the plan requires and that are missing go: ``current``,
            into the environment of this process; ``here``, nowhere: it is an error that names them.
    Raises:
        CheckError: the plan has problems.
        UsageError: an option has a value that it cannot have.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] = ".",
        *,
        config: str | os.PathLike[str] | None = None,
        system: str | None = None,
        listener: Listener | None = None,
        environment: str = "here",
    ) -> None:
        if not (listener is None or callable(listener)):
            raise UsageError(f"listener is {listener!r}; it has to be a function of one event")
        self._request = RunRequest(
            options.path("home", home),
            options.path("config", config) if config else None,
            options.text("system", system),
            setup=Setup(options.one_of("environment", environment, ENVIRONMENTS)),
        )
        self._audience = Audience(listener)
        self._solution = self._read()
        # The working folder may be another one when the plan is read again.
        self._request = self._request._replace(
            home=self.home,
            config=self.plan.path if config else None,
            system=_absolute(self._request.system),
        )
        self._pipelines: dict[str, Pipeline] = {}
        self._lock = threading.Lock()

    @property
    def workspace(self) -> Workspace:
        """The paths of everything that ALO makes in the project's folder."""
        return self._solution.workspace

    @property
    def home(self) -> Path:
        """The project's folder, as an absolute path."""
        return self.workspace.home

    @property
    def plan(self) -> Plan:
        """The plan as it was read last: when the project was opened, run, or gave a pipeline."""
        return self._solution.plan

    @property
    def train(self) -> Pipeline:
        """The train pipeline; the same object each time."""
        return self._own("train")

    @property
    def inference(self) -> Pipeline:
        """The inference pipeline, on the last train run's model; the same object each time."""
        return self._own("inference")

    def pipeline(self, kind: str, *, train_id: str = "") -> Pipeline:
        """A new pipeline to run in parts.

        Args:
            kind: train or inference.
            train_id: for an inference with the model of this past run instead of the last.
        """
        self._solution = solution = self._read()
        has = [pipeline.kind for pipeline in solution.plan.pipelines]
        kind = options.kind_of("the pipeline", kind, has)
        plan = solution.plan.pipeline(kind)
        assert plan is not None  # noqa: S101 - it has it
        if options.text("train_id", train_id):
            if kind == "train":
                raise UsageError(
                    "train_id chooses the model of an inference; a train run makes one"
                )
            train_id = require_models(self.workspace, train_id)
        return Pipeline(solution, plan, train_id or "")

    def run(self, mode: str = options.ALL) -> tuple[RunOutcome, ...]:
        """Run the pipelines whole, as ``alo run`` does: with the plan as it is on disk now.

        Args:
            mode: train, inference or all.
        """
        kind = options.kind_of("mode", mode, options.MODES)
        self._solution = solution = self._read()
        solution.listener.attach()
        make_way(self.workspace)
        request = RunRequest(self.home, setup=solution.setup)
        return run_solution(request, solution.listener, lambda: solution.check(kind))

    def close(self) -> None:
        """Give up what pipelines of this process have begun here and not saved."""
        self._audience.attach()
        give_up_all(self.workspace)

    def install(self) -> Project:
        """Fetch the code, and install into this environment what the plan requires and is missing.

        Raises:
            AloError: code cannot be fetched, or something not be installed.
        """
        self._solution = solution = self._read()
        solution.listener.attach()
        jobs = solution.check(options.ALL).jobs
        make_way(self.workspace)
        hold = hold_workspace(
            self.workspace, wait=True, listener=solution.listener, what="an installation"
        )
        with default_sigchld(), hold:
            solution.set_up(jobs, Setup("current"))
        return self

    def history(
        self, kind: str = "", *, parameter_steps: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Past runs, a row each, the newest first; args are columns ``<step>.<arg>``.

        Args:
            kind: train, inference, or empty for both.
            parameter_steps: only these steps' args; None: all.
        """
        bare = options.kind_of("kind", kind) if kind else ""
        return history_table(self.workspace, bare, parameter_steps)

    def _own(self, kind: str) -> Pipeline:
        with self._lock:
            if kind not in self._pipelines:
                self._pipelines[kind] = self.pipeline(kind)
            return self._pipelines[kind]

    def _read(self) -> Solution:
        return read_solution(self._request, self._audience)

    def __repr__(self) -> str:
        lines = [f"<Project {self.plan.name} {self.plan.version}".rstrip() + f" at {self.home}"]
        for pipeline in self.plan.pipelines:
            names = " → ".join(step.name for step in pipeline.steps)
            lines.append(f"  {pipeline.name}: {names}")
        return "\n".join(lines) + ">"


def _absolute(system: str) -> str:
    """Solution metadata wherever the process goes: a file's whole path, or JSON as it is."""
    return os.path.abspath(system) if os.path.isfile(system) else system
