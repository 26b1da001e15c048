"""The search space of a sweep: which values each swept arg may take, and how that is written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alo.history.record import plain
from alo.plan.suggest import quoted
from alo.plan.values import plan_form

Value: TypeAlias = object  # of YAML
_WHOLE = r"[+-]?\d+"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?(@log)?")
FARTHEST = 2**53  # up to here a float is any whole number
MOST_DIGITS = 20  # more than FARTHEST has: beyond, numbers are refused anyway
TOLD_APART = 1e-11  # of the larger bound: steps as small as that are lost in 12 digits
FORM = "write LOW..HIGH, LOW..HIGH:STEP, LOW..HIGH@log, or values with commas: A,B,C"


class SpecError(ValueError):
    """What was written is no set of values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from ``low`` to ``high``, both included."""

    low: float
    high: float
    step: float | None = None  # None: 1 of whole numbers, any number of others
    is_log: bool = False
    is_whole: bool = False

    def __post_init__(self) -> None:
        """Raises ``SpecError`` where no value can be taken from it."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise SpecError("the bounds of a range have to be finite")
        largest = max(abs(self.low), abs(self.high))
        if self.is_whole and largest > FARTHEST:
            raise SpecError(f"whole numbers have to be between -{FARTHEST} and {FARTHEST}")
        if not math.isfinite(self.high - self.low):
            raise SpecError(f"the bounds of {self.text} are too far apart")
        if self.low > self.high:
            raise SpecError(f"the range {self.text} is empty: its bounds are the wrong way round")
        if self.step is not None and not self.step > 0:
            raise SpecError(f"the step of {self.text} has to be above 0")
        if self.step is not None and not self.is_whole and self.step < TOLD_APART * largest:
            raise SpecError(f"the step of {self.text} is too small to tell its values apart")
        if self.is_log and self.low <= 0:
            raise SpecError(f"the range {self.text} has to begin above 0 to be @log")
        if self.is_log and self.step is not None:
            raise SpecError(f"the range {self.text} cannot have both a step and @log")

    @property
    def text(self) -> str:
        """As it is typed."""
        step = "" if self.step is None else f":{self._shown(self.step)}"
        return f"{self._shown(self.low)}..{self._shown(self.high)}{step}{'@log' * self.is_log}"

    @property
    def count(self) -> int | None:
        """How many values it has; None: any number between."""
        step = self._stride
        if step is None:
            return 1 if self.low == self.high else None
        return math.floor((self.high - self.low) / step + 1e-9) + 1

    def point(self, number: int) -> Value:
        """One of its values, in order; all of them may be more than memory holds."""
        value = self.low + (self._stride or 0) * number
        return int(value) if self.is_whole else self._cut(value)

    def at(self, share: float) -> Value:
        """The value at a share of the range, 0 ≤ share < 1; each is equally likely."""
        count = None if self.is_log else self.count
        if count is not None:
            return self.point(int(share * count))
        if not self.is_log:
            return self.low + share * (self.high - self.low)
        if not self.is_whole:
            value = self.low ** (1 - share) * self.high**share
            return min(self.high, max(self.low, value))
        low, high = self.low - 0.5, self.high + 0.5
        return min(int(self.high), max(int(self.low), round(low * (high / low) ** share)))

    def to_json(self) -> dict[str, object]:
        """As the plan writes it."""
        spec: dict[str, object] = {"range": [self._number(self.low), self._number(self.high)]}
        if self.step is not None:
            spec["step"] = self._number(self.step)
        return spec | ({"scale": "log"} if self.is_log else {})

    @property
    def _stride(self) -> float | None:
        return self.step or (1 if self.is_whole else None)

    def _number(self, value: float) -> float:
        return int(value) if self.is_whole else float(value)

    def _shown(self, value: float) -> str:
        return repr(self._number(value))

    def _cut(self, value: float) -> float:
        """Without what adding binary fractions has added: 0.1 three times is 0.3."""
        return float(f"{value:.12g}")


@dataclass(frozen=True, slots=True)
class Choices:
    """Some values, in the order in which they were given."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        """Raises ``SpecError`` where there is none, or one twice."""
        if not self.values:
            raise SpecError("there is no value to choose from")
        for value in self.values:
            if plan_form(plain(value)) != plan_form(value):
                raise SpecError(
                    f"{plan_form(value)} is no text and no plain number: put it in quotes"
                )
        forms = [plan_form(value) for value in self.values]
        if twice := next((form for form in forms if forms.count(form) > 1), None):
            raise SpecError(f"the value {twice} is there twice")

    @property
    def text(self) -> str:
        """As it is typed."""
        return ",".join(map(plan_form, self.values))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values)

    def point(self, number: int) -> Value:
        """One of its values, in order."""
        return self.values[number]

    def at(self, share: float) -> Value:
        """The value at a share, 0 ≤ share < 1; each is equally likely."""
        return self.values[int(share * len(self.values))]

    def to_json(self) -> dict[str, object]:
        """As the plan writes it."""
        return {"choices": list(self.values)}


Domain: TypeAlias = Range | Choices


@dataclass(frozen=True, slots=True)
class Param:
    """An arg that is swept."""

    pipeline: str  # train or inference
    step: str
    key: str
    domain: Domain

    @property
    def name(self) -> str:
        """As results name it: STEP.KEY; of the inference pipeline with its name before it."""
        prefix = "" if self.pipeline == "train" else f"{self.pipeline}."
        return f"{prefix}{self.step}.{self.key}"


Values: TypeAlias = Mapping[str, Value]  # by the name of the param


def parse_spec(text: str) -> Domain:
    """What was typed behind ``STEP.KEY=``.

    Raises:
        SpecError: it is no set of values; says why.
    """
    from alo.plan.yaml_nodes.reader import read_value
    from alo.plan.yaml_nodes.tree import YamlError

    if found := _RANGE.fullmatch(text.strip()):
        low, high, step, log = found.groups()
        is_whole = all(re.fullmatch(_WHOLE, each) for each in (low, high))
        if is_whole and step is not None and not re.fullmatch(_WHOLE, step):
            is_whole = False
        return Range(
            low=_number_of(low, is_whole=is_whole),
            high=_number_of(high, is_whole=is_whole),
            step=None if step is None else float(step),
            is_log=bool(log),
            is_whole=is_whole,
        )
    _refuse_broken_range(text.strip())
    try:
        values = read_value(f"[{text}]".encode())
    except YamlError as error:
        raise SpecError(f"{quoted(text)} is not YAML: {error.problem.what}; {FORM}") from error
    if not isinstance(values, list):
        raise SpecError(f"{quoted(text)} are no values; {FORM}")
    return Choices(tuple(values))


def _number_of(text: str, *, is_whole: bool) -> float:
    """As it is written: a float of a large whole number may be another one."""
    return int(text) if is_whole and len(text) <= MOST_DIGITS else float(text)


def _refuse_broken_range(text: str) -> None:
    """Refuse what was meant to be a range and is none, as it would be a text otherwise."""
    if any(mark in text for mark in "\"'[{"):
        return
    pieces = text.split(",")
    broken = next((each for each in pieces if _is_broken_range(each)), None)
    if broken is not None and len(pieces) > 1:
        raise SpecError(
            f"{quoted(broken.strip())} is no value, and a range has no values beside it; put it in "
            f"quotes if it is text, else {FORM}"
        )
    if broken is not None or text.startswith("..") or text.endswith(".."):
        raise SpecError(f"{quoted(text)} is no range of numbers; {FORM}")


def _is_broken_range(text: str) -> bool:
    """Whether it is A..B with a number on one side, also one that is written as YAML may."""
    low, dots, rest = text.strip().partition("..")
    high = re.split(r"[:@]", rest, maxsplit=1)[0]
    return bool(dots) and (_is_number(low) or _is_number(high))


def _is_number(text: str) -> bool:
    from alo.plan.yaml_nodes.reader import read_value
    from alo.plan.yaml_nodes.tree import YamlError

    if re.fullmatch(_NUMBER, text.strip()):
        return True
    try:
        return type(read_value(text.encode())) in (int, float)
    except YamlError:
        return False


def size_of(params: Sequence[Param]) -> int | None:
    """How many configurations there are; None: not finitely many."""
    size = 1
    for param in params:
        count = param.domain.count
        if count is None:
            return None
        size *= count
    return size


def grid_point(params: Sequence[Param], number: int) -> Values | None:
    """The configuration of a grid that has this number, from 0; the last param changes fastest.

    Returns:
        None: the grid has fewer.
    Raises:
        SpecError: a param has not finitely many values.
    """
    found: dict[str, Value] = {}
    for param in reversed(params):
        count = param.domain.count
        if count is None:
            raise SpecError(
                f"{param.name}={param.domain.text} has not finitely many values: a grid needs a "
                "step"
            )
        number, at = divmod(number, count)
        found[param.name] = param.domain.point(at)
    return None if number else {param.name: found[param.name] for param in params}


def form_of(values: Values) -> str:
    """The same for two configurations exactly when they are the same: 1, 1.0 and true are three."""
    return plan_form(dict(sorted(values.items())))


def args_of(params: Sequence[Param], values: Values) -> dict[str, dict[str, dict[str, Value]]]:
    """The values as args: pipeline → step → key → value."""
    found: dict[str, dict[str, dict[str, Value]]] = {}
    for param in params:
        step = found.setdefault(param.pipeline, {}).setdefault(param.step, {})
        step[param.key] = values[param.name]
    return found
