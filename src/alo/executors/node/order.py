"""What a driver and a node send each other about one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alo.data.location import RemoteLocation
from alo.engine.spec import Job
from alo.errors import AloError
from alo.executors.task import Task
from alo.history.record import Attempt
from alo.sources.packages.lockfile import Lock

OUTPUT = "output"  # of a shard: what comes back, beside the entry and artifacts of a run
FOLDERS, RESULTS = "folders", "results"  # below the prefix of a bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A task, with all that a node needs to know to do it."""

    task: Task
    jobs: Mapping[str, Job]  # by pipeline, with the paths of the driver
    project: str  # digest of the snapshot
    sources: Mapping[str, str] = field(default_factory=dict)  # pipeline → local data sources
    models: Mapping[str, str] = field(default_factory=dict)  # pipeline → local load_model_path
    attempts: tuple[Attempt, ...] = ()
    executor: str = ""
    lock: Lock | None = None  # the packages of each environment; None: the node's Python as it is
    transfer: RemoteLocation | None = None  # through which folders go; None: through the link

    @property
    def digests(self) -> list[str]:
        """All folders that it needs, without doubles."""
        task = self.task
        named = [self.project, *self.sources.values(), *self.models.values()]
        named += [*task.inputs.values(), task.model]
        return [each for each in dict.fromkeys(named) if each]


@dataclass(frozen=True, slots=True)
class Missing:
    """The task could not begin: these folders have to be sent first."""

    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """The task could not begin: this node has no room for what it needs, say; another may have."""

    error: AloError


@dataclass(frozen=True, slots=True)
class SetUp:
    """Something that takes long is done before the task runs."""

    text: str


@dataclass(frozen=True, slots=True)
class Arriving:
    """A folder comes back."""

    what: str  # entry, artifacts or output
    kind: str  # of the pipeline
    name: str  # of the entry in history
    size: int
    digest: str  # of what is in it
    blob: str = ""  # its name in the bucket; empty: it follows in pieces


@dataclass(frozen=True, slots=True)
class Piece:
    """Of the folder that was announced last."""

    content: bytes


def folder_blob(digest: str) -> str:
    """The name in the bucket of a folder that tasks need."""
    return f"{FOLDERS}/{digest}"
