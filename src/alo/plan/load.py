"""Read an experimental_plan.yaml and turn it into a :class:`Plan`.

Not here: the keys (``keys``), the rules across them (``check.py``), anything that runs a step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from alo.errors import PlanError, Problem
from alo.layout import KINDS, Workspace
from alo.plan.check import check_entry
from alo.plan.keys.entries import (
    DetailEntry,
    Pipelines,
    PlanEntry,
    SourceEntry,
    StepEntry,
    UiArgEntry,
)
from alo.plan.keys.plan import PLAN
from alo.plan.model import LOCAL, PipelinePlan, Plan, StepPlan, UiArg
from alo.plan.yaml_nodes.cache import nodes_of
from alo.plan.yaml_nodes.reader import NodeReader, found, place_of
from alo.plan.yaml_nodes.tree import MAX_BYTES, MappingNode, Node, ScalarNode, YamlError

DOCS = "docs/reference/plan.md has its keys, and `alo init NAME` makes a project with a plan"


class BrokenPlanError(PlanError):
    """A plan that has problems; of ``rest``, its other parts, more may be reported."""

    def __init__(self, problems: Sequence[Problem], rest: Plan) -> None:
        super().__init__(problems)
        self.rest = rest


def load_plan(path: Path, *, home: Path) -> Plan:
    """Read and check a plan.

    Args:
        home: the project's folder; its name is the name of a plan that has none.
    Raises:
        PlanError: with everything that is wrong with the plan.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        fix = "make a project with `alo init NAME`, or name a plan with --config"
        raise _plan_error("there is no plan here", path, home, fix) from None
    except IsADirectoryError:
        fix = "name the plan inside of it with --config"
        raise _plan_error("a folder, not a plan", path, home, fix) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _plan_error(f"the plan cannot be read: {reason}", path, home) from None
    return parse_plan(text, path=path, home=home, kept=Workspace(home).plan_nodes)


def parse_plan(text: bytes, *, path: Path, home: Path, kept: Path | None = None) -> Plan:
    """The plan that a text says; see :func:`load_plan`.

    Args:
        kept: where the nodes of such a text may be in a file.
    """
    reader = NodeReader(shown_path(path, home), _is_for_a_ui)
    try:
        entry = _read(nodes_of(text, kept), reader)
    except YamlError as error:
        raise PlanError([error.problem._replace(file=reader.file)]) from error
    if entry is None:
        raise PlanError(sorted(reader.problems, key=_position))
    if reader.problems:
        problems = sorted(reader.problems, key=_position)
        rest = _plan(_without_bad_sources(entry, problems), reader, text, path, home)
        raise BrokenPlanError(problems, rest)
    return _plan(entry, reader, text, path, home)


def _is_for_a_ui(key: str) -> bool:
    """Whether only a user interface reads it: it decides nothing about a run, so a slip in it is
    no error."""
    return re.match(r"ui_args_detail\b|user_parameters\.[^.]+\.ui_args\b", key) is not None


def _without_bad_sources(entry: PlanEntry, problems: Sequence[Problem]) -> PlanEntry:
    """Only the steps that are in both sections, and whose source has no problem."""
    sources = {
        kind: tuple(
            each
            for each in steps
            if each.step in {step.step for step in entry.user_parameters.get(kind, ())}
            and not any(f"{problem.key}.".startswith(f"{each.at}.") for problem in problems)
        )
        for kind, steps in entry.asset_source.items()
    }
    return entry._replace(asset_source=sources)


def shown_path(path: Path, home: Path) -> str:
    """How messages name a file: as seen from the project, or in full when it is outside."""
    full, folder = os.path.abspath(path), os.path.abspath(home)
    return os.path.relpath(full, folder) if full.startswith(os.path.join(folder, "")) else full


def _read(root: Node | None, reader: NodeReader) -> PlanEntry | None:
    if root is None:
        raise YamlError(f"the plan is empty; {DOCS}")
    if not isinstance(root, MappingNode):
        what = f"expected a plan, which is a mapping of keys, found {found(root)}"
        raise YamlError(f"{what}; {DOCS}", *place_of(root))
    _refuse_other_files(root)
    entry = PLAN.read(root, "", reader)
    if entry is None:
        return None
    check_entry(entry, reader)
    if not entry.user_parameters and not reader.problems:
        what = "no pipeline: list the steps of train_pipeline, of inference_pipeline, or of both"
        reader.complain(reader.nearest_place("user_parameters"), what)
    return entry


def _refuse_other_files(root: MappingNode) -> None:
    """What shares hardly a key with this format: a list of unknown ones is no help."""
    top = {name.value: (name, value) for name, value in root.value if isinstance(name, ScalarNode)}
    name, value = top.get("solution", (root, root))
    if isinstance(value, MappingNode) and any(key.value == "function" for key, _ in value.value):
        what = f"a plan of ALO 3 ('solution' with 'function'), which this ALO does not run: {DOCS}"
        raise YamlError(what, *place_of(name), "solution")
    if "user_parameters" not in top and {"metadata_version", "pipeline"} <= top.keys():
        name, _ = top["metadata_version"]
        what = "solution metadata, and no plan: give it to --system, next to the plan"
        raise YamlError(what, *place_of(name), "metadata_version")


def _position(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def _plan_error(what: str, path: Path, home: Path, fix: str = "") -> PlanError:
    return PlanError([Problem(what, shown_path(path, home))], fix=fix)


def _plan(entry: PlanEntry, reader: NodeReader, text: bytes, path: Path, home: Path) -> Plan:
    places = {key: place_of(node) for key, node in reader.places.items()}
    train, inference = (_pipeline(kind, entry, places) for kind in KINDS)
    return Plan(
        path=path,
        text=text,
        name=entry.name or _folder_name(home),
        version=entry.version,
        external=entry.external_path,
        aws_key_profile=entry.external_path_permission.aws_key_profile,
        train=_with_shared(train, inference),
        inference=_with_shared(inference, train),
        control=entry.control,
        ui_args_detail=_ui_args_detail(entry.ui_args_detail),
        warnings=tuple(sorted(reader.warnings, key=_position)),
        file=reader.file,
        places=places,
        alarm=entry.alarm,
        review=entry.review,
        sweep=entry.sweep,
    )


def _folder_name(home: Path) -> str:
    name = Path(os.path.abspath(home)).name
    return "".join(character if character.isprintable() else "-" for character in name)


def _pipeline(
    kind: str, entry: PlanEntry, places: dict[str, tuple[int, int]]
) -> PipelinePlan | None:
    """The steps in the order of ``asset_source``, or of ``user_parameters`` where there is none."""
    written = {step.step: step for step in entry.user_parameters.get(kind, ())}
    sources: tuple[SourceEntry, ...] = entry.asset_source.get(kind, ())
    local = {name: SourceEntry("", name) for name in written}
    by_name = {source.step: source for source in sources} or local
    if not written:
        return None
    steps = (_step(written[name], source, places) for name, source in by_name.items())
    return PipelinePlan(kind, tuple(steps))


def _with_shared(pipeline: PipelinePlan | None, other: PipelinePlan | None) -> PipelinePlan | None:
    """The pipeline whose local steps have what the other one's repositories give, if any."""
    if pipeline is None or other is None:
        return pipeline
    steps = (_shared(step, other.step(step.name)) for step in pipeline.steps)
    return pipeline._replace(steps=tuple(steps))


def _shared(step: StepPlan, other: StepPlan | None) -> StepPlan:
    if other is None or other.source.code == LOCAL or step.source.code != LOCAL:
        return step
    own = step.source.requirements
    lent = other.source._replace(requirements=own, is_shared=True)
    return step._replace(source=lent, lent_key=other.source_key)


def _step(entry: StepEntry, source: SourceEntry, places: dict[str, tuple[int, int]]) -> StepPlan:
    line, _ = places[f"{entry.at}.step"]
    return StepPlan(
        name=entry.step,
        args=entry.args,
        ui_args=entry.ui_args,
        source=source.source,
        cache=entry.cache,
        isolation=entry.isolation,
        environment=entry.environment,
        timeout_s=entry.timeout,
        retries=entry.retries,
        resources=entry.resources,
        line=line,
        source_key=f"{source.at}.source" if source.at else "",
    )


def _ui_args_detail(
    details: Pipelines[DetailEntry],
) -> dict[str, dict[str, tuple[UiArg, ...]]]:
    described: dict[str, dict[str, tuple[UiArg, ...]]] = {}
    for kind, entries in details.items():
        steps = described.setdefault(kind, {})
        for detail in entries:
            steps[detail.step] = (*steps.get(detail.step, ()), *map(_ui_arg, detail.args))
    return described


def _ui_arg(arg: UiArgEntry) -> UiArg:
    return UiArg(
        arg.name, arg.type, arg.description, arg.default, arg.choices, arg.range, arg.scale
    )
