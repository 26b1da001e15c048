"""What goes between a front end and a worker: requests, their progress, and their answers.

Messages are dataclasses, so that two kinds are never equal, whatever they hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from alolib.disk import fix_of, is_full

Args: TypeAlias = Mapping[str, Mapping[str, object]]  # step → arg → value
NO_ARGS: Args = {}
Files: TypeAlias = Mapping[str, bytes]  # name, with folders → content
NO_FILES: Files = {}

# Spec 9: which fault has which code.
METADATA_READ = ("E111", "SolutionMetadataReadError")
METADATA_APPLY = ("E112", "SolutionMetadataOverwriteError")
PLAN_LOAD = ("E121", "ExperimentalPlanLoadError")
NO_DATASET = ("E122", "ExperimentalPlanPathUnspecified")
PACKAGE_SETUP = ("E131", "AIPackageSetupFailure")
CODE_SETUP = ("E132", "AssetCodeSetupFailure")
DATA_LOAD = ("E141", "PipelineDataLoadError")
ASSET_INIT = ("E151", "AssetInitMethodFailure")
ASSET_RUN = ("E152", "AssetRunMethodFailure")
NO_SUMMARY = ("E161", "InferenceSummaryCreationFailure")
NO_ARTIFACTS = ("E162", "InferenceArtifactsCreationFailure")


class Request(NamedTuple):
    """One request for an inference."""

    id: str
    metadata: Mapping[str, object] | None = None  # solution metadata, as a platform sends it
    data: tuple[str, ...] = ()  # files and folders to stage, in place of the metadata's
    args: Args = NO_ARGS
    exports: bool = True  # where the plan or the metadata says
    files: Files = NO_FILES  # small ones, in place of data: by their names below input/inference/
    # Who has asked wants the output files: the small with the summary, others until it releases it.
    takes_outputs: bool = True
    is_followed: bool = True  # whether anyone wants its stages as they come
    is_shadowed: bool = False  # another model answers it; the answer of this one is compared


class _Compact:
    """Pickled as a call of its class: what dataclasses do by themselves costs much more."""

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Failure(_Compact):
    """Why a request was not answered with a result."""

    code: str  # E111 and so on
    name: str
    comment: str  # what is wrong, where, and what to do
    traceback: str = ""  # the asset author's own
    kind: str = "asset"  # or refused: args; data; died; away: no worker; timeout; room; output

    @property
    def message(self) -> str:
        """What a client is sent."""
        return "\n".join(filter(None, [self.traceback, self.comment]))


def write_failure(what: str, error: OSError) -> Failure:
    """Something of a request cannot be written, by no fault of the asset."""
    kind = "room" if is_full(error) else "asset"
    comment = f"{what} cannot be written: {error.strerror or error}"
    if fix := fix_of(error):
        comment = f"{comment}; {fix}"
    return Failure(*NO_ARTIFACTS, comment, kind=kind)


@dataclass(frozen=True, slots=True)
class Booted(_Compact):
    """A worker is warm."""

    model_id: str  # the train run whose model it has; none, or load-external-model


@dataclass(frozen=True, slots=True)
class Stage(_Compact):
    """How far a request is: setup, load, run, run.<step> or save."""

    name: str

    @property
    def step(self) -> str:
        """The step that runs; empty between steps."""
        stage, _, name = self.name.partition(".")
        return name if stage == "run" else ""


@dataclass(frozen=True, slots=True)
class Summary(_Compact):
    """The result and the output files are there; what is exported comes later."""

    content: Mapping[str, object]
    outputs: tuple[str, ...]  # paths; where the contents are not here, until it is released
    contents: Files | None = None  # of the output files, by name, where they are small


@dataclass(frozen=True, slots=True)
class Finished(_Compact):
    """All of a request is done."""

    exported: tuple[str, ...]  # paths or URLs


@dataclass(frozen=True, slots=True)
class Released(_Compact):
    """The front end has all it needs of the request; its folders may be removed."""


# Called for each request that was run: the model, the summary (None: it has none), the failure
Saw: TypeAlias = Callable[[str, Mapping[str, object] | None, Failure | None], object]
Message: TypeAlias = Booted | Stage | Summary | Finished | Failure  # of a worker
