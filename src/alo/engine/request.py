"""What the engine is asked for, and what it gives back."""

from collections.abc import Mapping
from pathlib import Path

from alo.errors import UsageError
from alo.history.record import StepRecord
from alo.named_tuples import NamedTuple

MODES = ("train", "inference", "all")


LOCAL = "local"
NODE, NODES = "node", "nodes"
ENVIRONMENTS = ("project", "current", NODE)  # that the command line has


class Setup(NamedTuple):
    """How code and packages are brought into place."""

    # Where missing packages go: project, or current, where ALO runs. here: nowhere, it is an error.
    # node: nowhere, what runs a step has them. nodes: to the machines that run it.
    environment: str = "project"
    locked: bool = False  # exactly what solution/alo.lock says
    offline: bool = False  # only what is cached
    force: bool = False  # replace edited files of assets that come from git


class RunRequest(NamedTuple):
    """One call of ``alo run`` or its like."""

    home: Path
    config: Path | None = None  # another plan than the project's own
    system: str = ""  # solution metadata: a YAML file's path, or JSON
    mode: str = "all"  # train, inference or all: each pipeline that the plan has
    overrides: tuple[str, ...] = ()  # as typed after --set
    wait: bool = True  # for another run in the same workspace
    resume: bool = False  # continue the last run, which failed or was killed
    first: str = ""  # the step to begin at, on stored results
    last: str = ""  # the step to end after
    setup: Setup = Setup()
    computing: str = LOCAL  # here; empty: as the plan says
    transfer: str = ""  # place in an object store, where an executor does it


class RunOutcome(NamedTuple):
    """How one run of one pipeline went."""

    run_id: str  # as alo history lists it
    pipeline: str  # train or inference
    status: str  # success; a run that fails raises instead
    seconds: float
    summary: Mapping[str, object] | None  # None: no step saved one
    artifacts: Path  # train_artifacts/ or inference_artifacts/
    history: Path  # the run's folder in history/
    exported: tuple[str, ...]  # paths or URLs
    steps: tuple[StepRecord, ...]  # in the order they ran

    def __repr__(self) -> str:
        return f"<{self.pipeline} run {self.run_id}: {self.status} in {self.seconds:.2f} s>"


def moves_nothing(computing: str) -> UsageError:
    """The error for ``--transfer`` where data is not moved."""
    return UsageError(
        f"--transfer: the executor {computing} moves nothing through a bucket",
        fix="leave it out, or run on other machines: --computing ray",
    )


def refuse_other_computing(*, computing: str) -> None:
    """Raise a UsageError for the places other than this machine that ALO 2.x could run on."""
    if computing != "local":
        raise UsageError(f"computing '{computing}' is not supported", fix="use --computing local")
