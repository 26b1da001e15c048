"""Where a step runs: what an executor takes and gives, and which kind a step has."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from alo.engine.spec import Job
from alo.engine.steps.task import Inputs
from alo.errors import StepError
from alo.named_tuples import NamedTuple
from alo.plan.model import StepPlan

if TYPE_CHECKING:  # only file mode, the cache and processes pay for the store
    from alo.store import StoredStep


class StepValues(NamedTuple):
    """What goes from one step to the next."""

    data: dict[str, object]
    config: dict[str, object]
    stored: "StoredStep | None" = None
    is_live: bool = True  # the values are here; otherwise they are in the store


class Executed(NamedTuple):
    """How a step went."""

    error: StepError | None
    added: tuple[str, ...]  # data keys that it was the first to save
    summary: Mapping[str, object] | None
    cpu_seconds: float
    peak_bytes: int
    sampled: str
    packages: Mapping[str, str] = {}  # that a process of its own has imported


class StepExecutor(Protocol):
    """Runs a step somewhere, on the values of its context, which are then what it hands on."""

    def run(self, job: Job, inputs: Inputs) -> Executed:
        """Run a step.

        Raises:
            StoreError: what the step saved cannot be stored, or what it is given not be read.
            KeyboardInterrupt: the user, or SIGTERM, ended it.
        """


def has_own_process(job: Job, step: StepPlan) -> bool:
    """Whether a step runs in a process of its own.

    A thread cannot be ended, and what a failed try did to values in memory not be undone: a time
    limit and further tries need one too. A limit of memory ends the process that goes over it.
    """
    wants = step.isolation or step.timeout_s is not None or step.retries or step.resources.memory
    return bool(wants) or step.name in job.code.pythons
