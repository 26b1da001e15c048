"""What a plan says, typed and immutable; reading it is in ``load.py``."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from alo.errors import Problem
from alo.named_tuples import NamedTuple

LOCAL = "local"


class Source(NamedTuple):
    """Where a step's code comes from and what it needs installed."""

    code: str = LOCAL  # local, or a git URL
    branch: str = ""  # branch, tag or commit; empty: the repository's own default
    path: str = ""  # a folder inside the repository
    requirements: tuple[str, ...] = ()
    is_shared: bool = False  # local here, and of the other pipeline's repository where not there


class Resources(NamedTuple):
    """What a step asks for of the machine that runs it."""

    cpu: float = 0.0  # cores; 0: it does not say
    gpu: float = 0.0
    memory: int = 0  # bytes: a limit; 0: none


NOTHING_ASKED = Resources()


def most_of(asked: Iterable[Resources]) -> Resources:
    """The most of each that any of them asks for."""
    return Resources(*map(max, zip(NOTHING_ASKED, *asked, strict=True)))


class StepPlan(NamedTuple):
    """One step as the plan asks for it; nothing has been imported yet."""

    name: str
    args: Mapping[str, object]
    ui_args: tuple[str, ...] = ()
    source: Source = Source()
    cache: bool = True
    isolation: str = ""  # empty: in the engine's process; or process
    environment: str = ""  # empty: the pipeline's; or isolated
    timeout_s: float | None = None
    retries: int = 0  # further tries after the first
    resources: Resources = NOTHING_ASKED
    line: int = 0  # of the step in user_parameters
    source_key: str = ""  # of its source in the plan; empty: the plan does not say one
    lent_key: str = ""  # of the other pipeline's source, where that is shared


class PipelinePlan(NamedTuple):
    """The steps of one pipeline in the order they run."""

    kind: str  # train or inference
    steps: tuple[StepPlan, ...]

    @property
    def name(self) -> str:
        """The pipeline's key in the plan, such as ``train_pipeline``."""
        return f"{self.kind}_pipeline"

    @property
    def resources(self) -> Resources:
        """What a run of it asks for."""
        return most_of(step.resources for step in self.steps)

    def step(self, name: str) -> StepPlan | None:
        """The step of this name; None if the pipeline has none."""
        return next((step for step in self.steps if step.name == name), None)


class ExternalPaths(NamedTuple):
    """Where data comes from and artifacts go to, as the plan writes it: relative to the project."""

    load_train_data_path: tuple[str, ...] = ()
    load_inference_data_path: tuple[str, ...] = ()
    save_train_artifacts_path: str = ""
    save_inference_artifacts_path: str = ""
    load_model_path: str = ""

    def load_data(self, kind: str) -> tuple[str, ...]:
        """Where the data of a pipeline (``train`` or ``inference``) comes from."""
        return self.load_train_data_path if kind == "train" else self.load_inference_data_path

    def save_artifacts(self, kind: str) -> str:
        """Where the artifacts of a pipeline are exported to; empty: nowhere."""
        train = kind == "train"
        return self.save_train_artifacts_path if train else self.save_inference_artifacts_path


class Aggregate(NamedTuple):
    """How the summaries of a sharded inference become one."""

    score: str = "mean"  # weighted by rows; or min, max
    result: str = "same"  # all have to agree; or most: what most rows have


class Control(NamedTuple):
    """How the engine runs the plan."""

    get_asset_source: str = "once"
    backup_artifacts: bool = True
    backup_log: bool = True
    backup_size: float = 1000  # MB (10^6 bytes) kept in history/
    interface_mode: str = "memory"
    save_inference_format: str = "tar.gz"
    check_resource: bool = False
    cache: bool = False  # a step whose inputs have not changed is not run again
    computing: str = "local"  # the executor of runs and trials
    aggregate: Aggregate = Aggregate()


class Alarm(NamedTuple):
    """What of a service's requests raises an alarm, and whom it reports to; None: not watched."""

    score_below: float | None = None
    of_last: int | None = None  # requests that are looked at; None: each by itself
    share: float | None = None  # of the last scores
    failures: float | None = None  # share of the last requests
    class_mix: float | None = None  # distance from the class mix of the train run
    command: str = ""  # with its arguments
    url: str = ""


class ReviewLabel(NamedTuple):
    """A label that people may give."""

    name: str
    key: str = ""  # on the label screen
    colour: str = ""  # #rrggbb


class Truth(NamedTuple):
    """How train data of pictures says their labels."""

    layout: str = "folders"  # or csv
    file: str = ""
    path: str = ""


class Gate(NamedTuple):
    """What a new model has to reach before it is deployed."""

    min_rows: int = 50
    max_loss: float = 0.02
    min_gain: float = 0.0
    slice_min_rows: int = 30
    slice_max_loss: float = 0.05


class ReviewPlan(NamedTuple):
    """Which columns of results mean what for people who review them."""

    unit: str = "row"
    prediction: str = "prediction"
    probabilities: Mapping[str, str] = {}
    certainty: str = ""
    key: str = ""
    image: str = ""
    label: str = ""
    truth: Truth | None = None
    labels: tuple[ReviewLabel, ...] = ()
    slices: tuple[str, ...] = ()
    gate: Gate = Gate()


class SweepParam(NamedTuple):
    """The values of an arg that is swept: a range, or choices."""

    range: tuple[float, float] | None = None
    step: float | None = None
    scale: str = ""  # or log
    choices: tuple[object, ...] = ()


class SweepPlan(NamedTuple):
    """What a sweep of this solution is, where the command does not say otherwise."""

    metric: tuple[str, ...] = ()
    direction: tuple[str, ...] = ()  # of each metric; one for all
    sampler: str = ""
    trials: int | None = None
    seed: int | None = None
    params: Mapping[str, SweepParam] = {}  # by STEP.KEY


class UiArg(NamedTuple):
    """How a UI edits one arg."""

    name: str
    type: str
    description: str = ""
    default: object = None
    selectable: tuple[object, ...] = ()
    range: tuple[float, float] | None = None  # bounds; of a string: its length
    scale: str = ""  # log: a sweep tries small numbers as often as large ones


class Plan(NamedTuple):
    """A whole plan that has passed its checks."""

    path: Path
    text: bytes  # the file as it was read
    name: str
    version: str
    external: ExternalPaths
    aws_key_profile: str
    train: PipelinePlan | None
    inference: PipelinePlan | None
    control: Control
    ui_args_detail: Mapping[str, Mapping[str, tuple[UiArg, ...]]]  # kind -> step -> args
    warnings: tuple[Problem, ...] = ()
    file: str = ""  # the plan's path as messages name it
    places: Mapping[str, tuple[int, int]] = {}  # key path -> line and column in the file
    alarm: Alarm | None = None
    review: ReviewPlan | None = None
    sweep: SweepPlan | None = None

    def problem(self, key: str, what: str) -> Problem:
        """Something wrong with the value of a key such as ``external_path.load_model_path``.

        Without a line where the key's value does not come from the file.
        """
        line, column = self.places.get(key, (0, 0))
        return Problem(what, self.file or self.path.name, line, column, key)

    def source_problem(self, step: StepPlan, what: str, name: str = "code") -> Problem:
        """Something wrong with a step's source: its ``code``, ``path`` or ``requirements[1]``."""
        is_own = name.startswith("requirements") or not step.lent_key
        owner = step.source_key if is_own else step.lent_key
        for each in (name, name.partition("[")[0], "code"):
            key = f"{owner}.{each}"
            if key in self.places:
                return self.problem(key, f"step '{step.name}': {what}")
        return Problem(what, self.file, step.line, key=f"step {step.name}")

    def pipeline(self, kind: str) -> PipelinePlan | None:
        """The ``train`` or the ``inference`` pipeline; None if the plan has none."""
        return self.train if kind == "train" else self.inference

    def with_pipeline(self, pipeline: PipelinePlan) -> "Plan":
        """The same plan with this pipeline in the place of its own."""
        train = pipeline.kind == "train"
        return self._replace(train=pipeline) if train else self._replace(inference=pipeline)

    @property
    def pipelines(self) -> tuple[PipelinePlan, ...]:
        """Those that the plan has, train first."""
        return tuple(pipeline for pipeline in (self.train, self.inference) if pipeline)
