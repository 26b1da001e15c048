"""What a sweep is to be, by command and plan: every problem at once, before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from alo.batch.sweep.definition import (
    MAX,
    MIN,
    Definition,
    Metric,
    domain_of,
    parse_metric,
    pipelines_of,
)
from alo.batch.sweep.proposals.samplers import AUTO, GRID, resolved
from alo.batch.sweep.space import Choices, Domain, Param, Range, SpecError, parse_spec, size_of
from alo.errors import CheckError, Problem
from alo.executors.task import SCORE
from alo.layout import KINDS
from alo.plan.keys.sweep import NONE
from alo.plan.model import Plan, StepPlan, SweepParam, UiArg
from alo.plan.overrides import parse_override
from alo.plan.suggest import did_you_mean, listed, quoted
from alo.plan.values import plan_form

MOST_SUBSETS = 64  # of a multi_selection
TRIALS = 50  # where nobody says how many, and there is no grid
OF_UI, OF_COMMAND, OF_PLAN = "--from-ui", "--param", "sweep.params"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """What was typed."""

    name: str = ""
    params: Sequence[str] = ()  # [train.|inference.]STEP.KEY=SPEC
    from_ui: Sequence[str] | None = None  # STEP.KEY; empty: all; None: none
    trials: int | None = None
    sampler: str = ""
    seed: int | None = None
    metrics: Sequence[str] = ()
    mode: str = "train"
    repeats: int = 1
    seed_arg: str = ""
    pruner: str = NONE
    overrides: Sequence[str] = ()  # as typed after --set
    system: str = ""
    config: str = ""


@dataclass(frozen=True, slots=True)
class PlannedSweep:
    """A sweep that could begin."""

    definition: Definition
    notes: tuple[str, ...]  # what a user should know


def definition_of(
    asked: SweepRequest, plan: Plan, fixed: Iterable[tuple[str, str, str]], name: str, created: str
) -> PlannedSweep:
    """The sweep that is asked for.

    Args:
        fixed: pipeline, step and key of args that --set or the solution metadata set.
        name: of the sweep.
        created: now, UTC.
    Raises:
        CheckError: with everything that is wrong.
    """
    maker = _Maker(asked, plan, set(fixed))
    params = maker.params()
    metrics = maker.metrics()
    seed = asked.seed if asked.seed is not None else plan.sweep and plan.sweep.seed
    seed_arg = maker.seed_arg(params)
    if not params and not maker.problems:
        maker.complain(
            "no arg is swept",
            "name some: alo sweep --param STEP.KEY=LOW..HIGH, or in the plan: sweep: params:",
        )
    maker.check_pruner(metrics)
    sampler, trials = maker.sampler(params)
    if maker.problems:
        raise CheckError(maker.problems)
    definition = Definition(
        name=name,
        params=tuple(params),
        metrics=tuple(metrics),
        sampler=sampler,
        seed=int(seed or 0),
        mode=asked.mode,
        repeats=asked.repeats,
        seed_arg=seed_arg,
        pruner=asked.pruner,
        overrides=tuple(asked.overrides),
        system=asked.system,
        config=asked.config,
        trials=trials,
        created=created,
    )
    return PlannedSweep(definition, tuple(maker.notes))


class _Maker:
    """Collects what is wrong with what was asked for."""

    def __init__(self, asked: SweepRequest, plan: Plan, fixed: set[tuple[str, str, str]]) -> None:
        self._asked, self._plan, self._fixed = asked, plan, fixed
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def complain(self, what: str, fix: str = "", key: str = "") -> None:
        """Note a problem; ``key``: of the plan, where it is there."""
        text = f"{what}; {fix}" if fix else what
        self.problems.append(self._plan.problem(key, text) if key else Problem(text))

    def params(self) -> list[Param]:
        """All that are swept: those of the plan give way to those of the command."""
        found: dict[tuple[str, str, str], Param] = {}
        typed: set[tuple[str, str, str]] = set()
        for text in self._asked.params:
            param = self._typed(text)
            if param is None:
                continue
            place = (param.pipeline, param.step, param.key)
            if place in typed:
                self.complain(f"{OF_COMMAND}: {param.name} is there twice", "keep one of them")
            typed.add(place)
            found[place] = param
        if self._asked.from_ui is not None:
            for param in self._of_ui(self._asked.from_ui, found):
                found.setdefault((param.pipeline, param.step, param.key), param)
        settings = self._plan.sweep
        if settings is not None and not (self._asked.params or self._asked.from_ui is not None):
            for name, planned in settings.params.items():
                if (param := self._planned(name, planned)) is not None:
                    found[(param.pipeline, param.step, param.key)] = param
        for pipeline, step, key in found.keys() & self._fixed:
            self.complain(
                f"{step}.{key} is swept, and set by --set or the solution metadata, too",
                f"leave it out of one of them (the {pipeline} pipeline)",
            )
        return list(found.values())

    def metrics(self) -> list[Metric]:
        """What counts as better; ``score`` where nobody says."""
        settings = self._plan.sweep
        names = list(self._asked.metrics)
        if not names and settings is not None:
            ways = [each[:3].lower() for each in settings.direction] or [MAX]
            names = [
                f"{name}:{ways[min(at, len(ways) - 1)]}"
                for at, name in enumerate(settings.metric or (SCORE,))
            ]
        found: list[Metric] = []
        for text in names or [SCORE]:
            try:
                metric = parse_metric(text)
            except SpecError as error:
                self.complain(f"--metric {quoted(text)}: {error}", f"write NAME, NAME:{MIN}")
                continue
            if metric.name in [each.name for each in found]:
                self.complain(f"--metric {quoted(text)}: it is there twice")
            found.append(metric)
        return found

    def sampler(self, params: Sequence[Param]) -> tuple[str, int | None]:
        """How configurations are chosen, and how many; None: all points of a grid."""
        asked, settings = self._asked, self._plan.sweep
        trials = asked.trials if asked.trials is not None else settings and settings.trials
        name = asked.sampler or (settings.sampler if settings else "") or AUTO
        name = resolved(name, params, trials)
        if name == GRID:
            for param in params:
                if param.domain.count is None:
                    self.complain(
                        f"{param.name}={param.domain.text} has no step, which a grid needs",
                        f"write {param.domain.text}:STEP, or take --sampler random",
                    )
        elif trials is None:
            size = size_of(params)
            trials = TRIALS if size is None else min(TRIALS, size)
        return name, trials

    def check_pruner(self, metrics: Sequence[Metric]) -> None:
        """A pruner compares what trials save on their way, which is one metric of save_metric."""
        if self._asked.pruner == NONE:
            return
        names = [each.name for each in metrics]
        if len(names) > 1:
            self.complain("--pruner compares one metric, not two", "leave it out, or a --metric")
        elif names and names[0].partition(".")[0] in (SCORE, "probability", "inference"):
            self.complain(
                f"--pruner: {names[0]} is known at the end of a trial only",
                "name one that the asset saves on its way: --metric NAME, with "
                "self.asset.save_metric('NAME', value, step=epoch)",
            )

    def seed_arg(self, params: Sequence[Param]) -> str:
        """The arg that gets another number in each repeat."""
        asked = self._asked
        if not asked.seed_arg:
            if asked.repeats > 1:
                self.complain(
                    "--repeats needs to know which arg is the seed", "add --seed-arg STEP.KEY"
                )
            return ""
        place = self._place(asked.seed_arg, f"--seed-arg {quoted(asked.seed_arg)}")
        if place is None:
            return ""
        kind, step, key = place
        if kind != "train":
            self.complain(
                f"--seed-arg {quoted(asked.seed_arg)}: it has to be of the train pipeline"
            )
        if place in [(each.pipeline, each.step, each.key) for each in params]:
            self.complain(f"--seed-arg {quoted(asked.seed_arg)}: it is swept, too")
        return f"{step}.{key}"

    def _typed(self, text: str) -> Param | None:
        address, equals, spec = text.partition("=")
        if not equals:
            self.complain(
                f"{OF_COMMAND} {quoted(text)}: no values",
                "write STEP.KEY=LOW..HIGH or STEP.KEY=A,B",
            )
            return None
        where = f"{OF_COMMAND} {quoted(address)}"
        place = self._place(address, where)
        try:
            domain = parse_spec(spec)
        except SpecError as error:
            self.complain(f"{where}: {error}")
            return None
        return None if place is None else Param(*place, domain)

    def _planned(self, name: str, given: SweepParam) -> Param | None:
        key = f"{OF_PLAN}.{name}"
        place = self._place(name, f"{OF_PLAN}: {quoted(name)}", key)
        range_keys = {"range": given.range, "step": given.step, "scale": given.scale}
        values = {"choices": given.choices} if given.choices else range_keys
        try:
            domain = domain_of(values)
        except SpecError as error:
            self.complain(str(error), key=key)
            return None
        return None if place is None else Param(*place, domain)

    def _place(self, address: str, where: str, key: str = "") -> tuple[str, str, str] | None:
        """Pipeline, step and key of an arg; complains where there is no such arg."""
        first, _, rest = address.strip().partition(".")
        kind = first.removesuffix("_pipeline")
        kinds = pipelines_of(self._asked.mode)
        if kind in KINDS and "." in rest:
            if kind not in kinds:
                self.complain(f"{where}: a sweep of train runs has no inference", "add --mode all")
                return None
            kinds, (step_name, _, arg) = (kind,), rest.partition(".")
        else:
            step_name, arg = first, rest
        if not step_name or not arg:
            self.complain(f"{where}: it names no arg", "write STEP.KEY", key)
            return None
        pipelines = [each for each in self._plan.pipelines if each.kind in kinds]
        names = list(dict.fromkeys(step.name for each in pipelines for step in each.steps))
        for pipeline in pipelines:
            if (step := pipeline.step(step_name)) is not None:
                if not self._knows(pipeline.kind, step, arg):
                    known = [
                        *step.args,
                        *(each.name for each in self._details(pipeline.kind, step)),
                    ]
                    self.complain(
                        f"{where}: step '{step_name}' has no arg '{arg}'",
                        did_you_mean(arg, dict.fromkeys(known)),
                        key,
                    )
                    return None
                return pipeline.kind, step_name, arg
        self.complain(f"{where}: no step '{step_name}'", did_you_mean(step_name, names), key)
        return None

    def _knows(self, kind: str, step: StepPlan, arg: str) -> bool:
        return arg in step.args or any(each.name == arg for each in self._details(kind, step))

    def _details(self, kind: str, step: StepPlan) -> Sequence[UiArg]:
        return self._plan.ui_args_detail.get(kind, {}).get(step.name, ())

    def _of_ui(self, names: Sequence[str], typed: Collection[tuple[str, str, str]]) -> list[Param]:
        """The args that a UI may set, as far as the plan bounds them, but those typed."""
        pipeline = self._plan.train
        found: list[Param] = []
        wanted, left_out = set(names), list[str]()
        for step in pipeline.steps if pipeline else ():
            for each in self._details("train", step):
                name = f"{step.name}.{each.name}"
                if each.name not in step.ui_args or (names and name not in names):
                    continue
                wanted.discard(name)
                if ("train", step.name, each.name) in typed:
                    continue
                domain = self._bounded(name, each)
                if domain is None:
                    left_out.append(name)
                else:
                    found.append(Param("train", step.name, each.name, domain))
        for name in sorted(wanted & set(names)):
            self.complain(f"{OF_UI} {quoted(name)}: no arg of ui_args with details is called so")
        if left_out:
            self.notes.append(f"left out, as nothing bounds them: {listed(left_out)}")
        if not (found or typed or self.problems):
            self.complain(
                f"{OF_UI}: no arg in ui_args is bounded by ui_args_detail",
                "give them a range or selectable, or name args with --param",
            )
        return found

    def _bounded(self, name: str, arg: UiArg) -> Domain | None:
        try:
            match arg.type:
                case "int" | "float" if arg.range is not None:
                    low, high = arg.range
                    return Range(
                        low=low,
                        high=high,
                        is_log=arg.scale == "log",
                        is_whole=arg.type == "int",
                    )
                case "single_selection" if arg.selectable:
                    return Choices(arg.selectable)
                case "multi_selection" if arg.selectable:
                    subsets = _subsets(arg.selectable)
                    if subsets is not None:
                        return Choices(subsets)
                    self.complain(
                        f"{OF_UI} {name}: it has more than {MOST_SUBSETS} selections",
                        f"name some: --param {name}=[A],[A, B]",
                    )
        except SpecError as error:
            self.complain(f"{OF_UI} {name}: {error}")
        return None


def _subsets(values: Sequence[object]) -> tuple[object, ...] | None:
    """All selections that are not empty, small ones first; None: they are too many."""
    if 2 ** len(values) - 1 > MOST_SUBSETS:
        return None
    sizes = range(1, len(values) + 1)
    return tuple(list(each) for size in sizes for each in combinations(values, size))


def fixed_args(
    plan: Plan, changed: Plan, overrides: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Which args --set and the solution metadata set: pipeline, step and key of each.

    Args:
        plan: as it is on the disk.
        changed: as they have made it.
        overrides: as typed after --set, which may be what the plan has already.
    """
    typed = [parse_override(text) for text in overrides]
    for pipeline in changed.pipelines:
        before = plan.pipeline(pipeline.kind)
        for step in pipeline.steps:
            was = before.step(step.name) if before else None
            args: Mapping[str, object] = was.args if was else {}
            for key, value in step.args.items():
                is_typed = any(
                    each.kind in ("", pipeline.kind) and (each.step, each.key) == (step.name, key)
                    for each in typed
                )
                if is_typed or key not in args or plan_form(args[key]) != plan_form(value):
                    yield pipeline.kind, step.name, key
