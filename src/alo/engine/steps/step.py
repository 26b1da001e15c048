"""Run one step: make its asset, call ``run()``, and take what it saved."""

from collections.abc import Callable
from contextvars import copy_context

from alo.engine.isolation.capture import captured
from alo.engine.isolation.process_state import do_imports_again
from alo.engine.steps.asset_class import call_asset
from alo.engine.steps.failures import step_error
from alo.engine.steps.task import FailedStep, StepResult, StepTask
from alo.errors import StepError
from alo.events.types import Listener, LogLine
from alo.processes.resources import NOT_MEASURED, Sampler, UsageMeter
from alo.processes.signals import Signalled
from alo.sources.code.loader import AssetCode
from alolib.contract import Handover
from alolib.structure import AssetStructure


def run_step(
    task: StepTask, code: AssetCode, listener: Listener, *, has_user: bool = True
) -> StepResult | FailedStep:
    """Run one step in this process.

    Args:
        has_user: whether an interrupt without a signal may be the user's, and not only the
            asset's own.
    Raises:
        KeyboardInterrupt: the user, or SIGTERM, ended it.
    """
    meter = UsageMeter() if task.is_measured else None
    sampler = Sampler() if task.sample_resources else None
    outcome: Handover | StepError
    try:
        structure = AssetStructure(task.envs, dict(task.args), task.data, task.config)
        with captured(listener, code.once) as send, code.active():
            structure.handover = handover = _handover(task, send)
            do_imports_again()
            # In a copy of the context: what it sets there is the step's own.
            copy_context().run(call_asset, code.load_class, structure)
        handover.check()
        outcome = handover
        del structure  # what the step has dropped is free
    except BaseException as error:  # sys.exit and the like too: it is the asset's
        if isinstance(error, Signalled if not has_user else KeyboardInterrupt):
            raise
        outcome = step_error(task.name, error, code.folder.parent.parent, task.home)
    finally:
        sampled = sampler.stop() if sampler else ""
        usage = meter.stop() if meter else NOT_MEASURED
    if isinstance(outcome, StepError):
        return FailedStep(outcome, *usage, sampled)
    return StepResult(outcome.data or {}, outcome.config or {}, outcome.summary, *usage, sampled)


def import_asset(code: AssetCode, listener: Listener) -> None:
    """Import a step's asset before it runs, where it stays imported."""
    with captured(listener), code.active():
        copy_context().run(code.load_class)


def _handover(task: StepTask, send: Callable[[LogLine], object]) -> Handover:
    return Handover(
        is_first=task.is_first,
        steps=task.steps,
        train_steps=task.train_steps,
        emit=send,
        loaded=task.loaded,
        caller=task.caller,
        pruner=task.pruner,
    )
