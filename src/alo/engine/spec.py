"""What to run: one pipeline of a plan, ready to run, or a part of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.data.location import RemoteLocation, SourceFile
from alo.history.record import Attempt
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.plan.model import LOCAL, PipelinePlan, Plan
from alolib.advice import COMMAND
from alolib.once import LoadedOnce

if TYPE_CHECKING:
    from alolib.pruning import Pruner


class Part(NamedTuple):
    """Which steps run; the others are taken from what an earlier run has stored."""

    resumes: str = ""  # the run that this one continues
    first: str = ""  # the first step to run; empty: from the beginning
    last: str = ""  # the last; empty: to the end

    @property
    def text(self) -> str:
        """What history says of it; empty for a whole run."""
        if self.first == self.last:
            return f"only {self.first}" if self.first else ""
        return f"until {self.last}" if self.last else ""

    @classmethod
    def of_text(cls, text: str) -> "Part":
        """What a history entry alone can run of the part that it describes: up to its last step."""
        return cls(last=text.rpartition(" ")[2])


class Origin(NamedTuple):
    """Why and where an executor does a run, for its record."""

    executor: str
    node: str
    sweep: Mapping[str, object] = {}  # of a trial: name of the sweep, and number of the trial
    attempts: tuple[Attempt, ...] = ()  # before this one
    pruner: "Pruner | None" = None


class Original(NamedTuple):
    """The project of which an executor runs a copy, for what a run says of itself."""

    project: Workspace
    sources: Mapping[str, object]  # step → where its code was checked out from
    git: Mapping[str, object]  # commit and dirty state of the work tree that it is in


class JobCode(NamedTuple):
    """The code of a job: where its steps' folders are, and with which Python they run."""

    assets: Path  # the folder of the steps' folders
    shown: str = ""  # the history entry that they are a copy of, as messages name it
    commits: Mapping[str, str] = {}  # step → the commit that its code has to be, where it is known
    pythons: Mapping[str, str] = {}  # step → interpreter, for steps with their own environment


class JobInputs(NamedTuple):
    """The data and the model that a job begins with: where they come from."""

    sources: tuple[SourceFile, ...] | None = None  # None: what is in input/ is used
    lists_late: bool = False  # a run before it makes its data, which is listed only then
    expected_data: tuple[str, dict[str, str]] | None = None  # data_id and files that it must have
    model_source: Path | RemoteLocation | None = None
    train_id: str = ""  # of an inference: use the model of this past run


class JobOutputs(NamedTuple):
    """What becomes of the artifacts and the history of a job."""

    export_target: Path | RemoteLocation | None = None
    keeps_in: Workspace | None = None  # whose history the run goes into; None: its own workspace's
    prunes: bool = True  # whether old runs give way when it has succeeded


class Execution(NamedTuple):
    """Where and for whom a job executes."""

    caller: str = COMMAND  # who runs it, for advice
    loaded: LoadedOnce | None = None  # what load_once has loaded, where a process serves
    origin: Origin | None = None  # of a run that an executor does
    original: Original | None = None  # likewise
    uses_node_python: bool = False  # where an executor does it: with the Python there, as it is
    offline: bool = False  # likewise: its packages come from caches alone


class Job(NamedTuple):
    """One pipeline that is ready to run: what, with which code, from what, to where, for whom."""

    workspace: Workspace
    plan: Plan
    pipeline: PipelinePlan
    code: JobCode
    part: Part = Part()
    changes: tuple[str, ...] = ()  # what was set differently from the plan on disk, a line each
    metadata_version: str = ""
    inputs: JobInputs = JobInputs()
    outputs: JobOutputs = JobOutputs()
    execution: Execution = Execution()

    @property
    def is_of_project(self) -> bool:
        """Whether its assets are the project's own, and not, say, those of a past run."""
        return self.code.assets == self.workspace.assets

    @property
    def fills(self) -> tuple[Path | RemoteLocation, ...]:
        """The folders that later runs may read what it has made from."""
        own, target = self.workspace.artifacts(self.pipeline.kind), self.outputs.export_target
        return (own, target) if target else (own,)


def stores_steps(job: Job) -> bool:
    """Whether what the steps save is kept for later runs."""
    control = job.plan.control
    return control.interface_mode == "file" or control.cache


def needs_setup(jobs: Sequence[Job]) -> bool:
    """Whether any step has code to fetch or packages to install."""
    return any(
        step.source.code != LOCAL or step.source.requirements or step.environment
        for job in jobs
        for step in job.pipeline.steps
    )
