"""Every key of a plan: its value and its use; reader and JSON Schema both come from here."""

from collections.abc import Iterator
from typing import Any, TypeVar

from alo.plan.keys.alarm import ALARM
from alo.plan.keys.entries import (
    DetailEntry,
    Permission,
    Pipelines,
    PlanEntry,
    SourceEntry,
    StepEntry,
    UiArgEntry,
)
from alo.plan.keys.resource import RESOURCES
from alo.plan.keys.review import REVIEW
from alo.plan.keys.sections import Args, Key, ListOf, Section
from alo.plan.keys.shapes import Anything, Choice, Flag, Number, Range, Shape, Text, Texts, Values
from alo.plan.keys.sweep import SCALES, SWEEP
from alo.plan.model import Aggregate, Control, ExternalPaths, Source

MAX_STEP_BYTES = 200  # a step is a folder and a file name; most file systems end at 255
T = TypeVar("T")

# Python and editors share no way to say "letter of any script": this is "not the rest of ASCII".
STEP_PATTERN = r"^[^\x00-,./:-@\[-^`{-\x7f]+$"
CODE_PATTERN = (
    r"^\s*(local$|https?://|ssh://|git://|file://|\.{0,2}/|~/|[^\s/:@-][^\s/:@]*@[^\s/:]+:)"
)
GIT_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")
LOCAL_PATHS = ("/", "./", "../", "~/")


def step_rule(name: str) -> str:
    """A step is a folder below ``assets/``; its name must not lead anywhere else."""
    odd = next((c for c in name if not (c.isalnum() or c in "_-" or _is_mark(c))), "")
    if odd:
        shown = "a space" if odd.isspace() else f"'{odd}'"
        return f"a step's name is letters, digits, _ and -; it has {shown}"
    return "the name is too long" if len(name.encode()) > MAX_STEP_BYTES else ""


def _is_mark(character: str) -> bool:
    """Whether it is a part of a letter, as vowels are in Thai or Devanagari."""
    from unicodedata import category

    return category(character).startswith("M")


def code_rule(code: str) -> str:
    """What is wrong with a step's ``code``: ``local``, a git URL, or a path to a repository."""
    if code == "local" or code.startswith(LOCAL_PATHS):
        return ""
    if code.startswith(GIT_SCHEMES):
        return _url_rule(code)
    host, colon, _ = code.partition(":")  # git@host:group/asset.git
    if colon and "@" in host.strip("@") and "/" not in host and not host.startswith("-"):
        return ""
    return (
        "expected local, a git URL (https://, ssh://, git://, file:// or user@host:path), "
        "or a path to a repository that begins with ./, ../, ~/ or /"
    )


def _url_rule(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return "" if rest else "expected a path after ://"
    place = rest.partition("/")[0].rpartition("@")[2]
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):  # an IPv6 address has colons of its own
        host, port = place, ""
    if not host or host.startswith("-"):  # ssh://-oProxyCommand=... would be an option of ssh's
        return "expected a host after ://"
    if port and not port.isdecimal():
        hint = "; a path begins with a /, and a / in a password is written %2F"
        return f"expected a number, the port, after the host and its colon{hint}"
    return ""


def branch_rule(branch: str) -> str:
    """What is wrong with the name of a branch, tag or commit, as git would see it."""
    odd = (
        branch.startswith("-")
        or ".." in branch
        or any(character.isspace() or character in "~^:?*[\\" for character in branch)
    )
    return "not the name of a branch, tag or commit" if odd else ""


def folder_rule(path: str) -> str:
    """What is wrong with a folder inside of a repository."""
    leaves = path.startswith(("/", "~")) or ".." in path.replace("\\", "/").split("/")
    return "expected a folder inside the repository, such as assets/train" if leaves else ""


def _pipelines(
    train_pipeline: tuple[T, ...] = (), inference_pipeline: tuple[T, ...] = ()
) -> Pipelines[T]:
    both = {"train": train_pipeline, "inference": inference_pipeline}
    return {kind: steps for kind, steps in both.items() if steps}


def _by_pipeline(step: Section[T], doc: str) -> Section[Pipelines[T]]:
    steps = ListOf(step, "a list of steps")
    return Section(
        _pipelines,
        Key("train_pipeline", steps, f"{doc} of the pipeline that makes a model."),
        Key("inference_pipeline", steps, f"{doc} of the pipeline that uses a model."),
    )


STEP_NAME = Text(step_rule, pattern=STEP_PATTERN, what="a step's name")
STEP = Key(
    "step",
    STEP_NAME,
    "the step's name, which is also the folder of its asset: assets/<step>/.",
    True,
)
PATH = Text(what="a path")
PATHS = Texts(PATH)

EXTERNAL_PATH = Section(
    ExternalPaths,
    Key(
        "load_train_data_path",
        PATHS,
        "folder or file, or a list of them, brought into input/train/. "
        "Empty: what is there is used.",
    ),
    Key(
        "load_inference_data_path",
        PATHS,
        "folder or file, or a list of them, brought into input/inference/. "
        "Empty: what is there is used.",
    ),
    Key(
        "save_train_artifacts_path",
        PATH,
        "folder that train_artifacts.tar.gz and model.tar.gz are written to. "
        "Empty: nothing is exported.",
    ),
    Key(
        "save_inference_artifacts_path",
        PATH,
        "folder that the archive of the inference artifacts is written to. "
        "Empty: nothing is exported.",
    ),
    Key(
        "load_model_path",
        PATH,
        "folder of models, or one that holds model.tar.gz, for inference. "
        "Empty: the model of the last train run.",
    ),
    legacy={
        "load_s3_key_path": "name an AWS profile in external_path_permission.aws_key_profile, "
        "or leave it to the usual credential chain",
    },
)

EXTERNAL_PATH_PERMISSION = Section(
    Permission,
    Key(
        "aws_key_profile",
        Text(what="the name of an AWS profile"),
        "name of an AWS profile. Empty: the usual credential chain.",
    ),
    legacy={
        "s3_private_key_file": "name an AWS profile in aws_key_profile, "
        "or leave it to the usual credential chain",
    },
)

USER_STEP = Section(
    StepEntry,
    STEP,
    Key(
        "args",
        Args(),
        "what load_args() gives: a mapping, or a list of one-key mappings.",
    ),
    Key(
        "ui_args",
        Texts(Text(what="the name of an arg")),
        "args that an operator may change in a UI.",
    ),
    Key("cache", Flag(), "False: the step is always run, even where its result is already known."),
    Key("isolation", Choice("process"), "process: the step runs in a process of its own."),
    Key(
        "environment",
        Choice("isolated"),
        "isolated: the step has an environment of its own for its requirements.",
    ),
    Key("timeout", Number(above=0), "seconds after which the step is stopped. Empty: no limit."),
    Key("retries", Number(minimum=0, whole=True), "further tries after the first one has failed."),
    Key("resources", RESOURCES, "cores, GPUs and memory that the step may use."),
    both_forms=False,
    located=True,
)

SOURCE = Section(
    Source,
    Key(
        "code",
        Text(code_rule, pattern=CODE_PATTERN),
        "local, or the URL or path of a git repository.",
    ),
    Key(
        "branch",
        Text(branch_rule),
        "branch, tag or commit. Empty: the repository's default branch.",
    ),
    Key("path", Text(folder_rule), "folder of the asset inside the repository. Empty: its root."),
    Key(
        "requirements",
        Texts(Text(what="a requirement")),
        "pip requirements, and the word requirements.txt for the file in the asset's folder.",
    ),
)

SOURCE_STEP = Section(
    SourceEntry,
    STEP,
    Key(
        "source", SOURCE, "where the asset's code comes from. Empty: the project's assets/ folder."
    ),
    both_forms=False,
    located=True,
)

AGGREGATE = Section(
    Aggregate,
    Key("score", Choice("mean", "min", "max"), "of the shards' scores; the mean is of their rows."),
    Key(
        "result",
        Choice("same", "most"),
        "same: the shards' result, if they agree. most: the one of most rows.",
    ),
)

CONTROL = Section(
    Control,
    Key(
        "get_asset_source",
        Choice("once", "every"),
        "when assets are fetched from git: once (and when URL or branch change), or at every run.",
    ),
    Key("backup_artifacts", Flag(), "whether a run's artifacts are kept in history/."),
    Key("backup_log", Flag(), "whether a run's logs are kept in history/."),
    Key(
        "backup_size",
        Number(minimum=0),
        "MB kept in history/; the oldest runs go first.",
    ),
    Key(
        "interface_mode",
        Choice("memory", "file"),
        "how data goes from step to step: in memory, or through files in .asset_interface/.",
    ),
    Key(
        "save_inference_format",
        Choice("tar.gz", "zip"),
        "how inference artifacts are packed.",
    ),
    Key("check_resource", Flag(), "whether CPU and peak memory of each step are measured."),
    Key("cache", Flag(), "whether a step is skipped when nothing it depends on has changed."),
    Key("computing", Text(), "where runs, trials and shards go: local, ray, or MODULE:CLASS."),
    Key("aggregate", AGGREGATE, "how alo infer makes one summary of those of its shards."),
    legacy={
        "get_external_data": "data is staged at every run, and copied only where it changed",
        "check_asset_source": "use get_asset_source (once or every)",
        "reset_assets": "use get_asset_source: every",
        "process_log": "log/process.log is always written; backup_log keeps it in history/",
    },
)

UI_ARG_TYPES = ("int", "float", "string", "single_selection", "multi_selection")

UI_ARG = Section(
    UiArgEntry,
    Key("name", Text(what="the name of an arg"), "name of the arg.", True),
    Key("type", Choice(*UI_ARG_TYPES), f"one of {', '.join(UI_ARG_TYPES)}.", True),
    Key("description", Text(lines=True), "what a UI says about the arg."),
    Key("default", Anything(), "value that a UI starts with."),
    Key("range", Range(), "smallest and largest number, or shortest and longest text."),
    Key("scale", Choice(*SCALES), "log: a sweep tries small numbers as often as large ones."),
    Key("selectable", Values(), "values to choose from, for a selection."),
    Key("selected", Anything(), "taken as selectable where that is missing, as in ALO 2.x."),
    both_forms=False,
    located=True,
)

DETAIL_STEP = Section(
    DetailEntry,
    STEP,
    Key("args", ListOf(UI_ARG, "a list of args"), "how a UI edits the step's args."),
    both_forms=False,
    located=True,
)

PLAN = Section(
    PlanEntry,
    Key("name", Text(), "name of the solution, one line. Empty: the name of the project's folder."),
    Key("version", Text(), "version of the solution."),
    Key("external_path", EXTERNAL_PATH, "where data comes from and artifacts go to."),
    Key("external_path_permission", EXTERNAL_PATH_PERMISSION, "access to external paths."),
    Key(
        "user_parameters",
        _by_pipeline(USER_STEP, "Steps and their args,"),
        "the steps of each pipeline, and their args.",
    ),
    Key(
        "asset_source",
        _by_pipeline(SOURCE_STEP, "Sources, in the order of execution,"),
        "where each step's code comes from, in the order of execution. "
        "Left out: all steps are local, in the order of user_parameters.",
    ),
    Key("control", CONTROL, "how the engine runs the plan."),
    Key(
        "ui_args_detail",
        _by_pipeline(DETAIL_STEP, "UI args"),
        "how a user interface edits the args that ui_args names.",
    ),
    Key("alarm", ALARM, "when the requests of a service raise an alarm, and whom that reports to."),
    Key("review", REVIEW, "how results are reviewed, and what a new model has to reach."),
    Key("sweep", SWEEP, "which args `alo sweep` tries other values of, and what is better."),
    both_forms=False,
)


def every_key() -> Iterator[str]:
    """The name of each key that a plan can have, also those that are only ignored."""
    yield from dict.fromkeys(_keys_of(PLAN))


def _keys_of(shape: Shape[Any]) -> Iterator[str]:
    section = shape.item if isinstance(shape, ListOf) else shape
    if isinstance(section, Section):
        yield from section.legacy
        for key in section.keys.values():
            yield key.name
            yield from _keys_of(key.shape)
