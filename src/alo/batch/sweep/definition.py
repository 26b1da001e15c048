"""What a sweep is: its params, metrics and sampler, and which data and code it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alo.batch.sweep.space import Choices, Domain, Param, Range, SpecError
from alo.layout import KINDS
from alo.plan.keys.sweep import NONE
from alo.plan.values import plan_form

MAX, MIN = "max", "min"
UNCOMPARED = ("created", "ids", "name", "trials", "storage")  # of two definitions


@dataclass(frozen=True, slots=True)
class Metric:
    """What makes a configuration better than another."""

    name: str  # score, probability.CLASS, or a name of save_metric; inference.… with --mode all
    direction: str = MAX

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"{self.name}:{self.direction}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What does not change while a sweep runs."""

    name: str
    params: tuple[Param, ...]
    metrics: tuple[Metric, ...]
    sampler: str
    seed: int
    mode: str = "train"  # or all: each trial is also an inference
    repeats: int = 1
    pruner: str = NONE
    seed_arg: str = ""  # STEP.KEY of the train pipeline, which gets 0, 1, … with repeats
    overrides: tuple[str, ...] = ()  # as typed after --set
    system: str = ""  # solution metadata: a file's path, or JSON
    config: str = ""  # another plan than the project's own
    trials: int | None = None  # asked for, which a resume may raise; None: every point of the grid
    storage: str = ""  # database through which several machines share it, without its password
    ids: Mapping[str, str] = field(default_factory=dict)  # of data and code
    created: str = ""  # UTC

    def to_json(self) -> dict[str, object]:
        """As ``sweep.json`` has it."""
        return {
            "name": self.name,
            "params": {param.name: param.domain.to_json() for param in self.params},
            "metric": [metric.text for metric in self.metrics],
            "sampler": self.sampler,
            "seed": self.seed,
            "mode": self.mode,
            "repeats": self.repeats,
            "seed_arg": self.seed_arg,
            "pruner": self.pruner,
            "overrides": list(self.overrides),
            "system": self.system,
            "config": self.config,
            "trials": self.trials,
            "storage": self.storage,
            "ids": dict(self.ids),
            "created": self.created,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Definition:
        """What ``to_json`` has made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        return cls(
            name=str(content["name"]),
            params=tuple(_param(name, each) for name, each in content["params"].items()),
            metrics=tuple(map(parse_metric, content["metric"])),
            sampler=str(content["sampler"]),
            seed=int(content["seed"]),
            mode=str(content["mode"]),
            repeats=int(content["repeats"]),
            seed_arg=str(content["seed_arg"]),
            pruner=str(content.get("pruner", NONE)),
            overrides=tuple(map(str, content["overrides"])),
            system=str(content.get("system", "")),
            config=str(content.get("config", "")),
            trials=None if content.get("trials") is None else int(content["trials"]),
            storage=str(content.get("storage", "")),
            ids={str(name): str(each) for name, each in content["ids"].items()},
            created=str(content["created"]),
        )


def pipelines_of(mode: str) -> tuple[str, ...]:
    """The pipelines that each trial runs, in their order.

    Args:
        mode: train, or all.
    """
    return KINDS if mode == "all" else KINDS[:1]


def parse_metric(text: str) -> Metric:
    """What was typed after ``--metric``.

    Raises:
        SpecError: it has no name.
    """
    name, colon, direction = text.rpartition(":")
    if colon and direction in (MAX, MIN):
        return Metric(_named(name), direction)
    return Metric(_named(text))


def _named(name: str) -> str:
    if not name.strip():
        raise SpecError("a metric has no name")
    return name.strip()


def domain_of(content: Mapping[str, Any]) -> Domain:
    """The values that a param of the plan, or of ``sweep.json``, may take.

    Raises:
        SpecError: there are none; says why.
    """
    if "choices" in content:
        return Choices(tuple(content["choices"]))
    low, high = content["range"]
    for bound in (low, high):
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise SpecError(f"the bounds of a range have to be numbers, not {plan_form(bound)}")
    step = content.get("step")
    is_whole = isinstance(low, int) and isinstance(high, int)
    if step is not None and not isinstance(step, int):
        is_whole = False
    return Range(
        low=low,
        high=high,
        step=None if step is None else float(step),
        is_log=content.get("scale") == "log",
        is_whole=is_whole,
    )


def _param(name: str, content: Mapping[str, Any]) -> Param:
    prefix = "inference."
    is_of_inference = name.startswith(prefix) and name.count(".") > 1
    step, _, key = (name.removeprefix(prefix) if is_of_inference else name).partition(".")
    return Param("inference" if is_of_inference else "train", step, key, domain_of(content))


def differences(old: Definition, new: Definition) -> Iterator[str]:
    """What two definitions do not have in common, a line each; of what is asked for alone."""
    before, after = old.to_json(), new.to_json()
    for name, was in before.items():
        now = after[name]
        if name in UNCOMPARED or plan_form(was) == plan_form(now):
            continue
        if isinstance(was, dict) and isinstance(now, dict):
            for each in dict.fromkeys([*was, *now]):
                one, two = plan_form(was.get(each)), plan_form(now.get(each))
                if one != two:
                    yield f"{name} {each}: {one} → {two}"
        else:
            yield f"{name}: {plan_form(was)} → {plan_form(now)}"


def changed_ids(definition: Definition, now: Mapping[str, str]) -> Sequence[str]:
    """Which of the data and the code are not what the sweep began with."""
    return [name for name, before in definition.ids.items() if now.get(name) != before]
