"""One step of a pipeline as a notebook sees it: its args, what it saved, and ``run``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from alo.api.args import Args
from alo.api.open_run import OpenRun
from alo.plan.model import Source, StepPlan


class PipelineOfSteps(Protocol):
    """What a step needs of the pipeline that it is one of."""

    _args: dict[str, Args]
    _steps: dict[str, StepPlan]
    _open: OpenRun

    def _saved_by(self, step: str) -> tuple[dict[str, object], dict[str, object]]: ...

    def run(self, steps: str) -> object:
        """Run one step."""


class StepView:
    """One step of a pipeline: its args to change, and what it saved once it has run."""

    def __init__(self, pipeline: PipelineOfSteps, name: str) -> None:
        self._pipeline, self.name = pipeline, name

    @property
    def args(self) -> Args:
        """The live args: what you change takes effect the next time the step runs."""
        return self._pipeline._args[self.name]

    @args.setter
    def args(self, values: Mapping[str, object]) -> None:
        fresh = Args(self.name, self._pipeline._steps[self.name].args)
        fresh.clear()
        fresh.update(values)
        self._pipeline._args[self.name] = fresh

    @property
    def source(self) -> Source:
        """Where its code comes from and what it requires."""
        return self._pipeline._steps[self.name].source

    @property
    def has_run(self) -> bool:
        """Whether the step has run in the run that is in progress, or was saved last."""
        return self.name in self._pipeline._open.ran

    @property
    def data(self) -> dict[str, object]:
        """What the step saved with ``save_data``: the objects themselves, not copies."""
        return self._pipeline._saved_by(self.name)[0]

    @property
    def config(self) -> dict[str, object]:
        """What the step saved with ``save_config``."""
        return self._pipeline._saved_by(self.name)[1]

    def run(self) -> StepView:
        """Run this step alone, on what the step before it has saved."""
        self._pipeline.run(self.name)
        return self

    def __repr__(self) -> str:
        args = ", ".join(f"{key}={value!r}" for key, value in self.args.items())
        saved = f"; data: {', '.join(self.data) or 'none'}" if self.has_run else "; has not run"
        return f"<step {self.name}({args}){saved}>"
