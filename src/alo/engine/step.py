"""Run one step: make its asset, call ``run()``, and take what it saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alo.engine.capture import captured
from alo.engine.failures import step_error
from alo.engine.resources import Sampler, UsageMeter
from alo.errors import StepError
from alo.events import Listener
from alo.sources.loader import AssetCode
from alolib.callers import place_of_run
from alolib.contract import Handover
from alolib.once import Kept
from alolib.structure import AssetStructure


class StepTask(NamedTuple):
    """All that a step is given."""

    name: str
    home: Path
    envs: dict[str, object]
    args: Mapping[str, object]
    data: dict[str, object]
    config: dict[str, object]
    is_first: bool
    steps: tuple[str, ...]  # of this pipeline
    train_steps: tuple[str, ...]
    sample_resources: bool
    kept: Kept | None = None  # by load_once, where a process serves


class StepResult(NamedTuple):
    """What a step gave back and what it cost."""

    data: dict[str, object]
    config: dict[str, object]
    summary: Mapping[str, object] | None
    cpu_seconds: float
    peak_bytes: int
    sampled: str  # what the sampler saw, as a line; empty without one


class FailedStep(NamedTuple):
    """Why a step failed, and what it cost until then."""

    error: StepError
    cpu_seconds: float
    peak_bytes: int
    sampled: str


def run_step(task: StepTask, code: AssetCode, listener: Listener) -> StepResult | FailedStep:
    """Run one step in this process.

    Raises:
        KeyboardInterrupt: the user, or SIGTERM, ended it.
    """
    meter = UsageMeter()
    sampler = Sampler() if task.sample_resources else None
    outcome: Handover | StepError
    try:
        outcome = _call_asset(task, code, listener)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit and the like too: it is the asset's
        outcome = step_error(task.name, error, task.home)
    finally:
        sampled = sampler.stop() if sampler else ""
        usage = meter.stop()
    if isinstance(outcome, StepError):
        return FailedStep(outcome, *usage, sampled)
    return StepResult(outcome.data or {}, outcome.config or {}, outcome.summary, *usage, sampled)


def _call_asset(task: StepTask, code: AssetCode, listener: Listener) -> Handover:
    handover = Handover(
        is_first=task.is_first,
        steps=task.steps,
        train_steps=task.train_steps,
        emit=listener,
        kept=task.kept,
    )
    structure = AssetStructure(task.envs, dict(task.args), task.data, task.config)
    structure.handover = handover
    with captured(listener), code.active():
        user_asset: Any = code.load_class()
        handover.places["run"] = place_of_run(user_asset)
        user_asset(structure).run()
    handover.check()
    return handover
