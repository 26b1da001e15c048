"""The engine under the names that notebooks and programs for ALO 2.x use."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from alo.api import options
from alo.api.display import Display
from alo.api.project import Project
from alo.api.session_view import Pipeline
from alo.engine.request import RunOutcome, RunRequest, Setup, refuse_other_computing
from alo.errors import UsageError
from alo.processes.inherited import default_sigchld

if TYPE_CHECKING:
    import pandas as pd


class ALO:
    """The engine under the names of ALO 2.x.

    Args:
        config: another plan than ``solution/experimental_plan.yaml``.
        system: solution metadata that overrides the plan: a YAML file's path, or JSON.
        mode: train, inference or all.
        loop: keep the inference pipeline warm and serve requests from Redis, until a signal.
        computing: where the steps run; ``local`` is what there is.
        project: the solution's folder; None: the current one.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | None = None,
        system: str | None = None,
        mode: str = options.ALL,
        loop: bool = False,
        computing: str = "local",
        *,
        project: str | os.PathLike[str] | None = None,
    ) -> None:
        # Programs that hand on what they were given may have been given nothing.
        refuse_other_computing(computing=computing or "local")
        if loop not in (True, False, None):
            raise UsageError(f"loop is {loop!r}", fix="it can be True or False")
        self._config = options.path("config", config) if config else None
        self._system = options.text("system", system)
        self._mode, self._loop = options.kind_of("mode", mode or options.ALL, options.MODES), loop
        self._home = options.path("project", "." if project is None else project).resolve()

    def main(self) -> tuple[RunOutcome, ...]:
        """Run the pipelines; the plan is read from disk anew each time.

        Raises:
            AloError: of the class that says what went wrong.
        """
        if self._loop:
            self._serve()
            return ()
        return self._project().run(self._mode)

    def _serve(self) -> None:
        from alo.serve.redis_queue.loop import serve_loop
        from alo.serve.redis_queue.url import find_url

        if threading.current_thread() is not threading.main_thread():
            raise UsageError("a loop is served by the main thread only: a signal is what ends it")
        request = RunRequest(self._home, self._config, self._system, setup=Setup("current"))
        with default_sigchld():
            serve_loop(request, find_url("", self._system), Display())

    def pipeline(self, pipeline_type: str = "train_pipeline", train_id: str = "") -> Pipeline:
        """A pipeline to run in parts.

        Args:
            pipeline_type: train_pipeline or inference_pipeline.
            train_id: for an inference with the model of this past run.
        """
        return self._project().pipeline(pipeline_type, train_id=train_id)

    def history(self) -> pd.DataFrame:
        """Past runs, a row each, the newest first."""
        return self._project().history()

    def _project(self) -> Project:
        # As ALO 2.x did, and the programs that drive it expect.
        environment = "current"
        return Project(
            self._home, config=self._config, system=self._system, environment=environment
        )

    def __repr__(self) -> str:
        return f"<ALO {self._mode} at {self._home}>"
